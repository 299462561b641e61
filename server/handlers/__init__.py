"""One module for each resource; a handler only translates between HTTP and the domain."""
