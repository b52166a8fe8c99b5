"""Sealing JSON, and refusing what was sealed by another key or changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.errors import Invalid
from backend.services.secrets import SecretBox, SecretUnreadable

KEY, OTHER = b"k" * 32, b"o" * 32
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(JSON)
def test_what_was_sealed_opens_the_same(value: Any) -> None:
    box = SecretBox(KEY)
    assert box.open(box.seal(value)) == value


def test_sealing_hides_and_never_repeats() -> None:
    box = SecretBox(KEY)
    first, second = box.seal({"PASSWORD": "hunter2"}), box.seal({"PASSWORD": "hunter2"})
    assert first != second
    assert b"hunter2" not in first
    assert b"PASSWORD" not in first


def test_another_key_or_a_changed_byte_is_refused() -> None:
    sealed = SecretBox(KEY).seal({"a": "b"})
    with pytest.raises(SecretUnreadable, match="put back the secret key"):
        SecretBox(OTHER).open(sealed)
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(SecretUnreadable):
            SecretBox(KEY).open(changed)
    for cut in range(len(sealed)):
        with pytest.raises(SecretUnreadable):
            SecretBox(KEY).open(sealed[:cut])


def test_a_key_can_be_changed() -> None:
    sealed = SecretBox(KEY).seal("old")
    both = SecretBox(OTHER, KEY)
    assert both.open(sealed) == "old"
    assert SecretBox(OTHER).open(both.seal("new")) == "new"


def test_a_short_key_is_refused() -> None:
    with pytest.raises(Invalid, match="32 bytes"):
        SecretBox(b"short")
