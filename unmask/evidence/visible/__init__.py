"""The decoded picture -> the signs that generators draw onto what they make."""
