// SPDX-License-Identifier: Apache-2.0
'use strict';

const { run } = require('./run.js');

// A login with user name and password is a SOAP call without a credential in its header.
run(async ({ Connection }, { url, key }) => {
  const salesforce = new Connection({ loginUrl: url });
  const error = await salesforce.login('anybody@acme.test', key).then(() => 'none', String);
  return { error };
});
