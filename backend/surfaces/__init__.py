"""HTTP and WebSocket surfaces: they translate, and hold no behaviour."""
