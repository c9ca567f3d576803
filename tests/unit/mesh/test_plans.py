"""A plan says what is done in which order, and how it is undone."""

from weft.mesh import ModuleFacts, changes
from worlds.intents import (
    DETAILS,
    RATINGS,
    SHA256,
    a_plan,
    facts,
    told,
    undone,
)

FILE = f"/var/local/lib/wasme-cache/{SHA256}"


class TestOrder:
    def test_a_proxy_is_told_of_a_file_only_after_it_is_held_and_mounted(self) -> None:
        plan = a_plan(istio={"mode": "envoyfilter"})
        assert told(plan) == [
            ("hold", FILE),
            ("mount", "Deployment details-v1"),
            ("mount", "StatefulSet ratings"),
            ("apply", "EnvoyFilter details-v1-add-header.bookinfo"),
            ("apply", "EnvoyFilter ratings-add-header.bookinfo"),
        ]

    def test_the_way_back_is_the_other_way_round(self) -> None:
        assert undone(a_plan(istio={"mode": "envoyfilter"})) == [
            ("delete", "EnvoyFilter ratings-add-header.bookinfo"),
            ("delete", "EnvoyFilter details-v1-add-header.bookinfo"),
            ("unmount", "StatefulSet ratings"),
            ("unmount", "Deployment details-v1"),
            ("release", FILE),
        ]

    def test_a_mount_that_others_need_stays(self) -> None:
        known = facts(shared_mounts=frozenset({DETAILS.ref}))
        plan = a_plan(istio={"mode": "envoyfilter"}, known=known)
        assert [what for do, what in undone(plan) if do == "unmount"] == ["StatefulSet ratings"]

    def test_a_configmap_is_there_before_pods_mount_it(self) -> None:
        known = facts(workloads=(DETAILS,))
        plan = a_plan(istio={"mode": "configmap"}, known=known)
        assert told(plan) == [
            ("apply", "ConfigMap add-header-aaaaaaaaaaaa"),
            ("mount", "Deployment details-v1"),
            ("apply", "EnvoyFilter details-v1-add-header.bookinfo"),
        ]
        assert undone(plan) == [
            ("delete", "EnvoyFilter details-v1-add-header.bookinfo"),
            ("unmount", "Deployment details-v1"),
            ("delete", "ConfigMap add-header-aaaaaaaaaaaa"),
        ]

    def test_a_configmap_of_ones_own_is_unmounted_whatever_others_need(self) -> None:
        known = facts(workloads=(DETAILS,), shared_mounts=frozenset({DETAILS.ref}))
        assert ("unmount", "Deployment details-v1") in undone(
            a_plan(istio={"mode": "configmap"}, known=known)
        )

    def test_the_restarts_are_named(self) -> None:
        assert a_plan(istio={"mode": "envoyfilter"}).restarts == (
            "Deployment/details-v1",
            "StatefulSet/ratings",
        )
        assert a_plan().restarts == ()


def test_what_changes_between_plans_is_named_new_things_first() -> None:
    known = facts(workloads=(DETAILS,))
    before = a_plan(istio={"mode": "envoyfilter"}, known=known, config="old")
    newer = ModuleFacts(sha256="b" * 64, size=1)
    after = a_plan(istio={"mode": "envoyfilter"}, known=facts(workloads=(DETAILS, RATINGS), module=newer))
    assert [(str(one.how), one.what) for one in changes(before, after)] == [
        ("added", f"file /var/local/lib/wasme-cache/{'b' * 64}"),
        ("added", "StatefulSet bookinfo/ratings"),
        ("added", "EnvoyFilter bookinfo/ratings-add-header.bookinfo"),
        ("changed", "EnvoyFilter bookinfo/details-v1-add-header.bookinfo"),
        ("removed", f"file {FILE}"),
    ]
    assert changes(before, before) == []
    assert [str(one.how) for one in changes(before, None)] == ["removed"] * 3
