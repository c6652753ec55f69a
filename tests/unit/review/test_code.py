"""Item codes: the letter catches what fingers do."""

import pytest

from triaged.review.code import code, number_of


@pytest.mark.parametrize("digest", [1, 2, 23, 1000])
def test_a_code_gives_its_number_back_in_either_case(digest: int) -> None:
    for number in range(1, 200):
        assert number_of(code(number, digest), digest) == number
        assert number_of(code(number, digest).lower(), digest) == number


def test_one_wrong_digit_or_two_swapped_ones_are_caught() -> None:
    for number in range(1, 1000):
        written = code(number, 5)
        digits, letter = written[:-1], written[-1]
        wrong = [digits[:at] + other + digits[at + 1 :] for at in range(len(digits)) for other in "0123456789"]
        wrong += [digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :] for at in range(len(digits) - 1)]
        for one in wrong:
            if int(one) != number:
                assert number_of(one + letter, 5) is None


def test_a_wrong_letter_is_caught() -> None:
    right = code(7, 5)
    assert [letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if number_of(f"7{letter}", 5)] == [right[-1]]


def test_the_code_of_the_next_digest_is_another() -> None:
    assert all(number_of(code(number, 5), 6) is None for number in range(1, 100))
