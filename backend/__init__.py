"""Pilothouse backend: one core, served through documented HTTP and WebSocket surfaces."""
