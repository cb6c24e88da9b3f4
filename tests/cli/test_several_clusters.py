"""drift over several clusters: what is said of one file is true of the others as well."""

from cli.cliworld import ARTICLE, clusters, say


def test_a_wrong_file_among_others_does_not_say_that_nothing_was_contacted(tmp_path):
    folder = clusters(tmp_path, good=ARTICLE, bad="cluster: x\n")
    assert "Nothing was contacted." in say("drift", "bad", folder=folder).err
    said = say("drift", "good", "bad", folder=folder)
    assert "Nothing was contacted." not in said.err
    assert "No host of this cluster was contacted." in said.err
