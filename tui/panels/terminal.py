"""Terminal: a shell in a replica of the selected deployment."""

from __future__ import annotations
