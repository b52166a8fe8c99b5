"""The ingress: Caddy as a process, the pure compiler of routes to its JSON, and its access log."""
