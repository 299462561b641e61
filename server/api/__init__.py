"""The API: one module for each resource, between HTTP and the domain; JSON in and out."""
