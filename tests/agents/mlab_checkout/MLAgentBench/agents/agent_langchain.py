"""Never imported: the launcher has a stand-in for it."""

raise AssertionError("this module needs packages that are not there")
