// Runs in an agent's Node before the agent does, see node.py beside it: goes to the directory that
// the agent is to start in, takes up its standard input, and hands it its secrets, which were in
// no environment that another process can read, and from here on are in no file.
"use strict";

const fs = require("node:fs");

const note = process.env.CTO_ENTER;
delete process.env.CTO_ENTER;
if (note) {
  const told = JSON.parse(fs.readFileSync(note, "utf8"));
  fs.unlinkSync(note);
  process.chdir(told.directory);
  fs.closeSync(0);
  if (fs.openSync(told.stdin, "r") !== 0) throw new Error("standard input is taken");
  Object.assign(process.env, told.secrets);
}
