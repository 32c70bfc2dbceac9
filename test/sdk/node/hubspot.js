// SPDX-License-Identifier: Apache-2.0
'use strict';

const { run, refused } = require('./run.js');

run(async ({ Client }, { url, key }) => {
  const { crm } = new Client({ basePath: url, accessToken: key });
  const email = { propertyName: 'email', operator: 'EQ', value: 'user250@example.test' };

  const found = await crm.contacts.searchApi.doSearch({ filterGroups: [{ filters: [email] }], properties: ['email'], limit: 1 });
  const created = await crm.tickets.basicApi.create({ properties: { subject: 'Call' }, associations: [] });
  const contacts = await crm.contacts.getAll(100);
  await crm.tickets.basicApi.getById('1');
  return {
    found: found.results[0].properties.email,
    created: created.id,
    exported: new Set(contacts.map(({ id }) => id)).size,
    refusal: await refused(() => crm.tickets.basicApi.getById('1')),
  };
});
