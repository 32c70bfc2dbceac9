// SPDX-License-Identifier: Apache-2.0
'use strict';

const { run } = require('./run.js');
const { calls } = require('./salesforce-calls.js');

// The package asks for a token first, and sends its calls to where the answer says.
run(async ({ Connection }, { url, key }) => {
  const salesforce = new Connection({ oauth2: { loginUrl: url, clientId: 'any', clientSecret: 'any' } });
  await salesforce.login('anybody@acme.test', key);
  return calls(salesforce);
});
