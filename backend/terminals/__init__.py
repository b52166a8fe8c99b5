"""The terminal holder: a small process that owns shells and their screens, and the client to it."""
