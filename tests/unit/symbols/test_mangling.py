"""Names of C++ and Rust, as compilers wrote them into real modules."""

import pytest

from weft.symbols import demangled


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("_ZN4shop5priceERKNSt3__16vectorIiNS0_9allocatorIiEEEE",
         "shop::price(std::__1::vector<int, std::__1::allocator<int>> const&)"),
        ("_ZN5rustf5price17hba82664b81f1665eE", "rustf::price"),
        ("_ZN53_$LT$my..F$u20$as$u20$proxy_wasm..traits..Context$GT$7on_done17h2c5bea8aaa96e532E",
         "<my::F as proxy_wasm::traits::Context>::on_done"),
        ("_ZN10dispatcher12proxy_on_log28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE",
         "dispatcher::proxy_on_log::{{closure}}"),
        ("_ZN10a$u110000$17h0123456789abcdefE", "a$u110000$"),
        ("_RNvNtCs4FeGRwF264R_4core6option13unwrap_failed", "core::option::unwrap_failed"),
        ("_RNCNvNtCsk6DxXIiz9X2_3std9panicking13panic_handler0B5_",
         "std::panicking::panic_handler::{closure#0}"),
        ("_Zwrong", "_Zwrong"),
        ("_Rwrong", "_Rwrong"),
        ("_Z" + "1a" * 20_000, "_Z" + "1a" * 20_000),
        ("main.(*httpContext).OnHttpRequestHeaders", "main.(*httpContext).OnHttpRequestHeaders"),
        ("proxy_on_log", "proxy_on_log"),
        ("", ""),
        ("_Z\0", "_Z\0"),
    ],
)  # fmt: skip
def test_a_mangled_name_is_made_readable_and_every_other_kept(name: str, readable: str) -> None:
    assert demangled(name) == readable
