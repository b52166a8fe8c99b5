"""What the palette finds: actions by their name, then those that tell of all the words in their help."""

from __future__ import annotations

from textual.command import Hit, Hits
from textual.system_commands import SystemCommandsProvider

BY_HELP = 0.01
"""A name that matches at all stands above."""


class ActionsProvider(SystemCommandsProvider):
    """The actions of the screen in front, from `App.get_system_commands`."""

    async def search(self, query: str) -> Hits:
        matcher, words = self.matcher(query), query.lower().split()
        for name, help_text, callback, *_ in self.app.get_system_commands(self.screen):
            if (match := matcher.match(name)) > 0:
                yield Hit(BY_HELP + match, matcher.highlight(name), callback, help=help_text)
            elif all(word in help_text.lower() for word in words):
                yield Hit(BY_HELP, name, callback, help=help_text)
