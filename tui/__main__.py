"""`python -m tui` is `pilothouse`."""

from tui.cli import main

raise SystemExit(main())
