"""wasme's ABI names: claimed honestly, checked as wasme checks them."""

import pytest

from weft.image import ImageInvalid, abi_names, check_platform

V097 = "v0-097b7f2e4cc1fb490cc1943d0d633655ac3c522f"
VEDC = "v0-edc016b1fa5adca3ebd3d7020eaed0ad7b8814ca"
V468 = "v0-4689a30309abf31aee9ae36e73d34b1bb182685f"
V021 = "v0.2.1"


@pytest.mark.parametrize(
    ("abi", "names"),
    [
        ("0.1.0", (V097, VEDC)),
        ("0.2.0", (V468, V021)),
        ("0.2.1", (V021,)),
        ("0.3.0", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_a_module_claims_the_hosts_that_offer_its_abi(abi: str | None, names: tuple[str, ...]) -> None:
    assert abi_names(abi) == names


@pytest.mark.parametrize(
    ("names", "version"),
    [
        # wasme acceptance case A06
        ([V097], "1.5.0"),
        ([V097], "1.5.32"),
        ([V097], "1.6.0"),
        ([V468], "1.7.0"),
        ([V468], "1.8.0"),
        ([V468], "1.9.0"),
        (["unheard-of", V468], "1.7.3-alpha.1"),
        ([], "1.30.0"),
    ],
)
def test_a_name_that_fits_is_enough(names: list[str], version: str) -> None:
    check_platform(names, "istio", version)


@pytest.mark.parametrize(
    ("names", "version", "complaint"),
    [
        # wasme acceptance case A06
        (["invalid_abiversion"], "1.7.0", "abi versions [invalid_abiversion] not found"),
        ([VEDC], "1.5.32", f"no versions of istio found which support abi versions [{VEDC}]"),
        ([V468], "1.6.0", f"no versions of istio found which support abi versions [{V468}]"),
        # wasme's pattern for 1.7.x also takes these
        ([V468], "11.7.0", f"no versions of istio found which support abi versions [{V468}]"),
        ([V097], "1.50.0", f"no versions of istio found which support abi versions [{V097}]"),
        ([V468, V021], "unknown", f"no versions of istio found which support abi versions [{V468} {V021}]"),
    ],
)
def test_an_image_for_other_versions_is_refused(names: list[str], version: str, complaint: str) -> None:
    with pytest.raises(ImageInvalid) as caught:
        check_platform(names, "istio", version)
    assert str(caught.value) == complaint
