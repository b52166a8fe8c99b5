"""Figures of speed and size, each beside what it is judged against in the same run: `make bench [ARGS="NAME..."]`.

    python -m benchmarks [NAME...] [--quick] [--json FILE] [--list]

One benchmark a module, with the same name; each is a function `run(options)` that gives `Figure`s:

    first_screen    the first drawn screen of the app, against importing Textual
    tui_idle        the app's processor time and memory with 30 and with 200 containers, against lazydocker's
    tui_flood       the same while it follows a log of 5,000 lines a second
    deploy_to_url   a deployment from POST until its URL answers, against `docker run`; 10 replicas against 1
    api_list        a page of a list of 1,000, against its own queries alone; and its p99 while deployments roll
    backend_idle    the backend's processor time and memory with 100 running replicas
    rolling_update  requests through the ingress while an app rolls: failures, and the slow end against before
    log_socket      the log socket's MB/s and lines/s, against `docker logs --follow` on the same log
    event_fanout    one event to 200 sockets, against one to a single socket; the backend's processor time for it
    terminal_feed   MB/s of output that the terminal takes in, against pyte and textual-tty
    terminal_memory what 10,000 lines of 200 columns take, against pyte's HistoryScreen
    terminal_paint  ms of painting 200x60 and one line; frames/s in floods, against textual-tty
    terminal_echo   from a key until it is painted, with nothing else and in a flood, against textual-tty

What is compared is measured in turns, so that a slow minute of the machine hits both sides; a figure is the median of
the turns. Each line shows both figures, their ratio, the target and whether it is met:

    first_screen    pilothouse          0.41 s   import textual.app   0.30 s   ratio 1.37   target <= 1.5   ok

Nothing here fails because something is slow: the numbers of one machine are no verdict about another. `--quick` takes
few and short turns, to see that a benchmark works. `--json` also writes every figure to a file.

Everything runs on data dirs of its own and is removed at the end. The engine should have nothing else to do: lazydocker
shows, and pays for, every container of it.
"""
