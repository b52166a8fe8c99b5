"""Routes to Caddy's JSON, without Caddy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.errors import Invalid
from backend.domain.ingress import Route, Upstream
from backend.ingress.compile import (
    LogFiles,
    compile_door,
    compile_router,
    listen_addresses,
    retired_upstreams,
    upstreams,
    upstreams_by_host,
    with_retired,
    with_routes_of,
)

LOGS = LogFiles(Path("/logs/errors.log"), Path("/logs/access.log"))


def router(*routes: Route) -> dict[str, object]:
    return compile_router(routes, admin_socket=Path("/run/admin.sock"), router_socket=Path("/run/r.sock"), logs=LOGS)


def route(name: str, *addresses: str, text: str = "no replica is ready") -> Route:
    return Route(name, (f"{name}.localhost",), tuple(Upstream(a) for a in addresses), text)


def tries(routes: list[dict], host: str) -> tuple[int, dict | None]:
    """How many routes Caddy looks at until `host` is served, and the handler that serves it."""
    count = 0
    for one in routes:
        count += 1
        if host not in one.get("match", [{}])[0].get("host", []):
            continue
        handler = one["handle"][0]
        if handler["handler"] != "subroute":
            return count, handler
        deeper, found = tries(handler["routes"], host)
        return count + deeper, found
    return count, None


def routes_of(config: dict) -> list[dict]:
    return config["apps"]["http"]["servers"]["pilothouse"]["routes"]


@given(st.sets(st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True), max_size=150))
def test_every_host_is_served_by_its_own_route(names: set[str]) -> None:
    config = router(*(route(name, f"10.0.0.1:{index + 1}") for index, name in enumerate(sorted(names))))
    for index, name in enumerate(sorted(names)):
        _, handler = tries(routes_of(config), f"{name}.localhost")
        assert handler is not None
        assert handler["upstreams"] == [{"dial": f"10.0.0.1:{index + 1}"}]


def test_a_thousand_hosts_take_few_tries() -> None:
    config = router(*(route(f"app{n}", "10.0.0.1:80") for n in range(1000)))
    worst = max(tries(routes_of(config), f"app{n}.localhost")[0] for n in range(1000))
    assert worst <= 1 + 4 * 8


def test_the_order_of_routes_and_upstreams_does_not_matter() -> None:
    first = router(route("a", "10.0.0.1:1", "10.0.0.2:1"), route("b", "10.0.0.3:1"))
    second = router(route("b", "10.0.0.3:1"), route("a", "10.0.0.2:1", "10.0.0.1:1"))
    assert json.dumps(first) == json.dumps(second)


def test_hosts_are_compared_in_lower_case() -> None:
    _, handler = tries(routes_of(router(Route("a", ("App.Localhost",), (Upstream("h:1"),)))), "app.localhost")
    assert handler is not None


@pytest.mark.parametrize("host", ["", "{env.HOME}", "a b", "a_b.localhost", "-a.localhost", "a..b", "*.localhost"])
def test_a_host_that_is_no_name_is_refused(host: str) -> None:
    with pytest.raises(Invalid):
        router(Route("a", (host,), ()))


@pytest.mark.parametrize("address", ["", "10.0.0.1", "unix//run/x", "{file./etc/passwd}:1", "a:b", "a:1-9"])
def test_an_upstream_that_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Invalid):
        router(route("a", address))


def test_two_routes_cannot_share_a_host_or_an_id() -> None:
    with pytest.raises(Invalid, match=r"a\.localhost.*one.*two"):
        router(Route("one", ("a.localhost",), ()), Route("two", ("a.localhost",), ()))
    with pytest.raises(Invalid, match="id"):
        router(Route("one", ("a.localhost",), ()), Route("one", ("b.localhost",), ()))


def test_retired_upstreams_are_named_and_can_be_taken_off() -> None:
    serving = router(route("a", "10.0.0.1:1"))
    config = with_retired(with_retired(serving, ["10.0.0.8:1"]), ["10.0.0.9:1"])
    assert retired_upstreams(config) == {"10.0.0.9:1"}
    assert upstreams(config) == {"10.0.0.1:1", "10.0.0.9:1"}
    assert retired_upstreams(serving) == set()
    assert with_retired(config, ()) == serving


@pytest.mark.parametrize("count", [1, 8, 9, 100])
def test_who_serves_a_host_can_be_read_back(count: int) -> None:
    routes = [route(f"app{number}", f"10.0.0.1:{number + 1}", f"10.0.0.2:{number + 1}") for number in range(count)]
    config = with_retired(router(*routes, route("stopped")), ["10.0.0.9:1"])
    before = json.dumps(config)
    assert upstreams_by_host(config) == {
        f"app{number}.localhost": {f"10.0.0.1:{number + 1}", f"10.0.0.2:{number + 1}"} for number in range(count)
    }
    assert json.dumps(config) == before
    assert upstreams(config) == {address for found in upstreams_by_host(config).values() for address in found} | {
        "10.0.0.9:1"
    }
    assert upstreams_by_host({}) == upstreams_by_host(router()) == {}


def test_the_routes_of_another_config_can_be_taken_over() -> None:
    old = compile_router(
        [route("a", "10.0.0.1:1")], admin_socket=Path("/old/a.sock"), router_socket=Path("/old/r.sock"), logs=LOGS
    )
    assert with_routes_of(router(), old) == router(route("a", "10.0.0.1:1"))


def test_a_single_replica_is_never_marked_down() -> None:
    _, single = tries(routes_of(router(route("a", "10.0.0.1:1"))), "a.localhost")
    _, several = tries(routes_of(router(route("a", "10.0.0.1:1", "10.0.0.2:1"))), "a.localhost")
    assert single is not None and several is not None
    assert "health_checks" not in single
    assert "health_checks" in several


@pytest.mark.parametrize(("listen", "expected"), [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")])
def test_the_door_listens_where_it_is_told(listen: str, expected: str) -> None:
    door = compile_door(listen=listen, port=80, admin_socket=Path("/a"), router_socket=Path("/r"), logs=LOGS)
    assert listen_addresses(door) == {expected}


def test_apps_without_replicas_share_an_entry_for_each_answer() -> None:
    stopped = [route(f"stopped{n}", text="the app is stopped") for n in range(1000)]
    config = router(*stopped, route("new", text="no replica is ready yet"), route("up", "10.0.0.1:80"))
    assert len(routes_of(config)) <= len(routes_of(router())) + 3
    for name, text in (("stopped0", "the app is stopped"), ("stopped999", "the app is stopped"), ("new", "no replica")):
        _, handler = tries(routes_of(config), f"{name}.localhost")
        assert handler is not None
        assert (handler["status_code"], handler["body"][: len(text)]) == (503, text)
    _, handler = tries(routes_of(config), "up.localhost")
    assert handler is not None
    assert handler["handler"] == "reverse_proxy"
