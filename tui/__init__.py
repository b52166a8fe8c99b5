"""The full-screen app: a client of the backend's HTTP API, which it starts where none runs."""
