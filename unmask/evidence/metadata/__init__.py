"""EXIF, XMP, IPTC and the texts of a PNG: read, and told with what each field means."""
