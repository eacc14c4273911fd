import pytest

from src.shared import passwords
from src.shared.passwords import NOBODY, hash_password, matches


def test_a_password_matches_its_own_hash_only():
    stored = hash_password("correct horse")
    assert matches("correct horse", stored)
    assert not matches("correct horsf", stored)
    assert not matches("", stored)


def test_equal_passwords_have_different_hashes():
    assert hash_password("same") != hash_password("same")


def test_a_hash_carries_its_parameters_so_that_they_can_be_raised(monkeypatch):
    stored = hash_password("old")
    assert stored.startswith("scrypt$ln=14,r=8,p=5$")
    monkeypatch.setattr(passwords, "P", 1)
    assert matches("old", stored)
    assert hash_password("new").startswith("scrypt$ln=14,r=8,p=1$")


@pytest.mark.parametrize("password", ["", "nobody", "\0" * 16, "pässwörd"])
def test_nobody_has_no_password_but_costs_as_much(password):
    assert not matches(password, NOBODY)
    assert NOBODY.split("$")[1] == hash_password("x").split("$")[1]
