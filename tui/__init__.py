"""The full-screen terminal app: an API client like any other."""
