# SPDX-License-Identifier: Apache-2.0

# An application without a package of its own for the CRM: it follows the links in the answers as they come.
import json
import os
import sys

try:
    import requests
except ImportError:
    sys.exit(3)

zendesk = requests.Session()
zendesk.auth = ("anybody@acme.test/token", os.environ["KEY"])
api = os.environ["URL"] + "/api/v2"


def call(method, url, **arguments):
    answer = zendesk.request(method, url, timeout=30, **arguments)
    answer.raise_for_status()
    return answer.json()


def pages(url, following, **parameters):
    """Every page of a list; following finds the next one's address."""
    while url:
        page = call("GET", url, params=parameters)
        yield page
        url, parameters = following(page), None


def tickets(url, following, **parameters):
    return {ticket["id"] for page in pages(url, following, **parameters) for ticket in page["tickets"]}


found = call("GET", api + "/users/search.json", params={"query": "user250@example.test"})
created = call("POST", api + "/tickets.json", json={"ticket": {"subject": "Call", "comment": {"body": "hello"}, "external_id": "sdk"}})
exports = [
    tickets(api + "/tickets.json", lambda page: page["next_page"]),
    tickets(api + "/tickets.json", lambda page: page["meta"]["has_more"] and page["links"]["next"], **{"page[size]": 100}),
    tickets(api + "/incremental/tickets/cursor.json", lambda page: None if page["end_of_stream"] else page["after_url"], start_time=0),
]
call("GET", api + "/tickets/1.json")
refusal = zendesk.get(api + "/tickets/1.json", timeout=30)
print(json.dumps({
    "version": requests.__version__,
    "found": found["users"][0]["name"],
    "created": str(created["ticket"]["id"]),
    "exported": min(map(len, exports)),
    "refusal": f"status {refusal.status_code}" if int(refusal.headers["Retry-After"]) > 0 else "no Retry-After",
}))
