"""Rights: what each part may do, and above all what it may not."""

from collections.abc import Iterator
from typing import Any

import pytest

from weft.installing import Installation, Right, granting, objects, operator_rights
from weft.mesh import KINDS

EVERYTHING = Installation(secrets_of=("bookinfo", "shop"))
HELD = objects(EVERYTHING)


def rules() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for held in HELD:
        for rule in held.get("rules", ()):
            yield held["kind"], held["metadata"]["name"], rule


def bindings() -> list[tuple[str, str, str, str]]:
    return [
        (
            held["kind"],
            held["metadata"].get("namespace", ""),
            f"{held['roleRef']['kind']} {held['roleRef']['name']}",
            held["subjects"][0]["name"],
        )
        for held in HELD
        if held["kind"].endswith("Binding")
    ]


def test_there_is_no_wildcard_anywhere() -> None:
    wild = [
        (name, rule)
        for _, name, rule in rules()
        if any("*" in word for words in rule.values() for word in words)
    ]
    assert wild == []


def test_what_is_bound_to_the_whole_cluster_cannot_read_a_secret() -> None:
    bound = {role for kind, _, role, _ in bindings() if kind == "ClusterRoleBinding"}
    assert bound == {"ClusterRole weft-operator"}
    (operator,) = [
        held for held in HELD if (held["kind"], held["metadata"]["name"]) == ("ClusterRole", "weft-operator")
    ]
    reached = {resource for rule in operator["rules"] for resource in rule["resources"]}
    assert not reached & {"secrets", "pods/exec", "serviceaccounts/token", "nodes/proxy"}


def test_secrets_are_read_one_by_one_and_only_where_that_was_granted() -> None:
    secrets = [
        (kind, name, rule["verbs"], rule.get("resourceNames"))
        for kind, name, rule in rules()
        if "secrets" in rule["resources"]
    ]
    assert secrets == [
        ("Role", "weft-operator", ["get", "update"], ["weft-webhook"]),
        ("ClusterRole", "weft-namespace", ["get"], None),
        ("Role", "weft-node-cache", ["get", "list", "watch"], ["weft-registries"]),
        ("Role", "weft-registries", ["get", "patch"], ["weft-registries"]),
    ]
    assert bindings() == [
        ("ClusterRoleBinding", "", "ClusterRole weft-operator", "weft-operator"),
        ("RoleBinding", "weft-system", "Role weft-operator", "weft-operator"),
        ("RoleBinding", "bookinfo", "ClusterRole weft-namespace", "weft-operator"),
        ("RoleBinding", "shop", "ClusterRole weft-namespace", "weft-operator"),
        ("RoleBinding", "weft-system", "Role weft-node-cache", "weft-node-cache"),
        ("RoleBinding", "weft-system", "Role weft-registries", "weft-operator"),
    ]


def test_nobody_may_give_rights_or_become_somebody_else() -> None:
    mighty = {"bind", "escalate", "impersonate", "deletecollection"}
    assert [name for _, name, rule in rules() if mighty & set(rule["verbs"])] == []
    assert [name for _, name, rule in rules() if "rbac.authorization.k8s.io" in rule["apiGroups"]] == []


def test_the_node_cache_has_config_maps_and_one_secret_of_its_own_namespace_and_no_more() -> None:
    mine = [(kind, role) for kind, _, role, account in bindings() if account == "weft-node-cache"]
    assert mine == [("RoleBinding", "Role weft-node-cache")]
    assert [rule for _, name, rule in rules() if name == "weft-node-cache"] == [
        {
            "apiGroups": [""],
            "resources": ["configmaps"],
            "verbs": ["get", "list", "watch", "create", "patch"],
        },
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": ["weft-registries"],
            "verbs": ["get", "list", "watch"],
        },
    ]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.plural}.{kind.group}")
def test_the_operator_reads_every_kind_and_writes_only_metadata_and_status(kind: Any) -> None:
    granted = {
        resource: rule["verbs"]
        for of, name, rule in rules()
        if (of, name) == ("ClusterRole", "weft-operator") and rule["apiGroups"] == [kind.group]
        for resource in rule["resources"]
        if resource.partition("/")[0] == kind.plural
    }
    assert granted == {
        kind.plural: ["get", "list", "watch", "patch"],
        f"{kind.plural}/status": ["patch"],
    }


def test_workloads_of_all_three_kinds_are_patched_and_never_replaced_or_deleted() -> None:
    (verbs,) = [rule["verbs"] for _, _, rule in rules() if rule["apiGroups"] == ["apps"]]
    (names,) = [rule["resources"] for _, _, rule in rules() if rule["apiGroups"] == ["apps"]]
    assert (names, verbs) == (
        ["deployments", "daemonsets", "statefulsets"],
        ["get", "list", "watch", "patch"],
    )


def test_who_may_edit_a_namespace_may_edit_its_filters() -> None:
    people = {
        held["metadata"]["name"]: held["metadata"]["labels"]
        for held in HELD
        if held["metadata"]["name"] in {"weft-view", "weft-edit"}
    }
    assert people["weft-view"]["rbac.authorization.k8s.io/aggregate-to-view"] == "true"
    assert people["weft-edit"]["rbac.authorization.k8s.io/aggregate-to-edit"] == "true"


def test_config_maps_are_written_at_home_and_where_that_was_granted() -> None:
    writers = {
        (kind, name)
        for kind, name, rule in rules()
        if "configmaps" in rule["resources"] and "patch" in rule["verbs"]
    }
    assert writers == {
        ("Role", "weft-operator"),
        ("Role", "weft-node-cache"),
        ("ClusterRole", "weft-namespace"),
    }


def test_the_rights_of_the_operator_are_those_of_its_roles() -> None:
    rights = operator_rights("weft-system")
    assert Right("list", "apps", "statefulsets") in rights
    assert Right("get", "", "secrets", "weft-system", "weft-webhook") in rights
    assert not [one for one in rights if one.resource == "secrets" and not one.name]
    assert len(set(rights)) == len(rights)


@pytest.mark.parametrize(
    ("right", "words"),
    [
        (Right("list", "apps", "statefulsets"), "list statefulsets.apps"),
        (Right("patch", "weft.dev", "filterdeployments/status"), "patch filterdeployments/status.weft.dev"),
        (Right("get", "", "secrets", "weft-system", "a"), "get secrets a in weft-system"),
    ],
)
def test_a_right_in_words(right: Right, words: str) -> None:
    assert str(right) == words


def test_the_command_that_grants_binds_what_an_installation_binds() -> None:
    (bound,) = [
        held
        for held in objects(Installation(secrets_of=("bookinfo",)))
        if (held["kind"], held["metadata"].get("namespace")) == ("RoleBinding", "bookinfo")
    ]
    (account,) = bound["subjects"]
    assert granting("bookinfo", "weft-system") == (
        f"kubectl create rolebinding {bound['metadata']['name']} -n bookinfo"
        f" --clusterrole={bound['roleRef']['name']}"
        f" --serviceaccount={account['namespace']}:{account['name']}"
    )
