"""Our own surface, for what no document has: the local session, system, journal, live and terminal sockets."""
