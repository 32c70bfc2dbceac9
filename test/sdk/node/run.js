// SPDX-License-Identifier: Apache-2.0

// What the scripts have in common: where the dispatcher is, the client's key, and how they tell what they saw.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const { URL: url, KEY: key, PACKAGE: name, NODE_PATH: packages } = process.env;

// refused runs a call that the dispatcher is to refuse and returns how the package tells.
async function refused(call) {
  try {
    const { result } = await call();
    return result instanceof Error ? `result.statusCode ${result.statusCode}` : 'nothing';
  } catch (error) {
    const member = ['statusCode', 'code', 'errorCode'].find((name) => name in error);
    return `error.${member} ${error[member]}`;
  }
}

// load ends the process with 3 if the package is not there, or not for this Node.js.
function load() {
  try {
    const { version } = JSON.parse(fs.readFileSync(path.join(packages, name, 'package.json'))); // not all let themselves be asked by require
    return { version, client: require(name) };
  } catch (error) {
    console.error(error);
    return process.exit(3);
  }
}

// run prints what the script returns, with the version of the package.
function run(script) {
  const { version, client } = load();
  script(client, { url, key }).then(
    (seen) => {
      console.log(JSON.stringify({ version, ...seen }));
      process.exit(0); // some packages keep connections, and with them the process, for minutes
    },
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
}

module.exports = { run, refused };
