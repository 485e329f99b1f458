"""Texts in scripts without spaces between words."""

import pytest

from training.data.spacing import is_unspaced


@pytest.mark.parametrize(
    "texts",
    [
        ["物流很快包装完好。", "质量很好，非常满意！"],
        ["とても良い商品でした。", "二度と買いません。"],
        ["สินค้าดีมากส่งเร็ว ขอบคุณค่ะ", "ไม่พอใจเลยสินค้าเสียหาย"],
        ["很好", "不好"],
        ["iPhone 手机非常好用", "the 手机坏了不能用了"],
    ],
)
def test_scripts_without_spaces_are_recognised(texts: list[str]) -> None:
    """Chinese, Japanese and Thai as they are written, also with some English in it."""
    assert is_unspaced(texts)


@pytest.mark.parametrize(
    "texts",
    [
        ["Ein gutes Gerät", "очень хорошо", "مرحبا بالعالم"],
        ["배송이 정말 빨라요", "다시는 안 사요"],
        ["物流 很 快 包装 完好 。", "质量 很 好"],
        ["สินค้า ดี มาก ส่ง เร็ว"],
        ["The sign said 出口 and we left by it as soon as we could"],
        ["12345", "..."],
        [],
    ],
)
def test_other_texts_are_not(texts: list[str]) -> None:
    """Scripts with spaces, segmented texts, and single words of another script."""
    assert not is_unspaced(texts)
