"""The team desk over HTTP: what people and programs of a team do with its cases."""
