"""A page of a listing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from backend.domain.errors import FieldError, Invalid

T = TypeVar("T")
MAX_PAGE_LIMIT = 100
MAX_PAGE = 10**9


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page, from 1, of how many items. Build it with `checked`."""

    page: int = 1
    limit: int = 10

    @classmethod
    def checked(cls, page: int, limit: int) -> PageRequest:
        """Raises Invalid where page or limit lies outside its bounds."""
        faults = []
        if not 1 <= page <= MAX_PAGE:
            faults.append(FieldError("page", f"page must be from 1 to {MAX_PAGE}, not {page}"))
        if not 1 <= limit <= MAX_PAGE_LIMIT:
            faults.append(FieldError("limit", f"limit must be from 1 to {MAX_PAGE_LIMIT}, not {limit}"))
        if faults:
            raise Invalid(faults[0].message, fields=tuple(faults))
        return cls(page, limit)

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.limit


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: Sequence[T]
    total: int
    request: PageRequest

    @property
    def total_pages(self) -> int:
        """0 for an empty listing."""
        return -(-self.total // self.request.limit)
