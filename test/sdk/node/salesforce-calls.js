// SPDX-License-Identifier: Apache-2.0
'use strict';

const { refused } = require('./run.js');

// all reads a query to its end, page after page.
function all(query) {
  const ids = new Set();
  return new Promise((resolve, reject) => {
    query.on('record', ({ Id }) => ids.add(Id)).on('end', () => resolve(ids)).on('error', reject).run({ autoFetch: true, maxFetch: 1000 });
  });
}

// calls are what an application does over a connection that is signed in.
exports.calls = async (salesforce) => {
  const found = await salesforce.search('FIND {user250} IN ALL FIELDS RETURNING Contact(Id, Name)');
  const created = await salesforce.sobject('Case').create({ Subject: 'Call' });
  const contacts = await all(salesforce.query('SELECT Id FROM Contact'));
  await salesforce.sobject('Lead').create({ LastName: 'First' });
  return {
    found: found.searchRecords[0].Name,
    created: created.id,
    exported: contacts.size,
    refusal: await refused(() => salesforce.sobject('Lead').create({ LastName: 'Second' })),
  };
};
