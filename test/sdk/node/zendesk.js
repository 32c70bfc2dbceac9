// SPDX-License-Identifier: Apache-2.0
'use strict';

const { run, refused } = require('./run.js');

// node-zendesk from version 3 on; the option had another name before.
run(async ({ createClient }, { url, key }) => {
  const api = `${url}/api/v2`;
  const zendesk = createClient({ username: 'anybody@acme.test', token: key, endpointUri: api, remoteUri: api, disableGlobalState: true });
  const bodyOf = (answer) => answer.result ?? answer; // version 2 returns the body alone

  const found = bodyOf(await zendesk.search.query('type:user user250@example.test'));
  const created = bodyOf(await zendesk.tickets.create({ ticket: { subject: 'Call', comment: { body: 'hello' }, external_id: 'sdk' } }));
  const tickets = bodyOf(await zendesk.tickets.list());
  await zendesk.tickets.show(1);
  return {
    found: (found.results ?? found)[0].name,
    created: String((created.ticket ?? created).id),
    exported: new Set(tickets.flatMap((page) => page.tickets ?? page).map(({ id }) => id)).size,
    refusal: await refused(() => zendesk.tickets.show(1)),
  };
});
