"""What a whole proxy is told, one module per kind of proxy. They do not know each other."""
