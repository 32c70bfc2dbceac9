// SPDX-License-Identifier: Apache-2.0
'use strict';

const { run } = require('./run.js');
const { calls } = require('./salesforce-calls.js');

run(({ Connection }, { url, key }) => calls(new Connection({ instanceUrl: url, accessToken: key })));
