"""What can be chosen in the filters of the list: known without counting any notebook."""

from support.signed_in import SignedIn


def test_a_workspace_without_notebooks_can_be_chosen(chief: SignedIn) -> None:
    path = f"/v1/{chief.caller.project_id}/workspaces"
    made = chief.caller.request("POST", path, body={"name": "quiet"}).json
    page = chief.get(f"{chief.base}/notebooks").raw.decode()
    option = page[page.index(f'<option value="{made["id"]}"') :]
    assert option[option.index(">") + 1 : option.index("</option>")] == "quiet"
