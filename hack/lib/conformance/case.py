"""What a test is: a function of a world, the rows it covers, and the spoilt plugin that it must tell from a sound one."""

CASES = []


class Case:
    def __init__(self, rows, function, mutant, apus_only):
        self.rows, self.function, self.mutant, self.apus_only = rows, function, mutant, apus_only
        self.name = function.__name__.replace("_", " ")
        self.sentence = (function.__doc__ or self.name).strip().rstrip(".")


def case(*rows, mutant, apus_only=False):
    """`mutant` is a document of mutant.py. `apus_only` is for what another design need not have: the reason is then
    the row's own."""
    def register(function):
        CASES.append(Case(rows, function, mutant, apus_only))
        return function
    return register
