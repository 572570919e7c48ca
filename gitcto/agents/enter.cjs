// Runs in an agent's Node before the agent does, see node.py beside it: goes to the directory that
// the agent is to start in, takes up its standard input, and hands it its secrets. These were in no
// environment that another process can read; from here on they are in no file, and no program that
// the agent starts gets them.
"use strict";

const children = require("node:child_process");
const fs = require("node:fs");
const { syncBuiltinESMExports } = require("node:module");

function enter(told) {
  process.chdir(told.directory);
  fs.closeSync(0);
  if (fs.openSync(told.stdin, "r") !== 0) throw new Error("standard input is taken");
  Object.assign(process.env, told.secrets);
  keep(Object.keys(told.secrets));
}

function keep(names) {
  const secret = (pair) => names.some((name) => pair.startsWith(`${name}=`));
  const start = children.ChildProcess.prototype.spawn; // spawn, exec, execFile and fork end here
  children.ChildProcess.prototype.spawn = function (options) {
    const envPairs = options?.envPairs?.filter((pair) => !secret(pair));
    return start.call(this, envPairs ? { ...options, envPairs } : options);
  };
  for (const name of ["spawnSync", "execSync", "execFileSync"]) {
    const original = children[name];
    children[name] = (command, ...rest) => {
      const at = rest.findIndex((each) => each && typeof each === "object" && !Array.isArray(each));
      const given = at < 0 ? {} : rest[at];
      const env = { ...(given.env ?? process.env) };
      for (const each of names) delete env[each];
      rest.splice(at < 0 ? rest.length : at, 1, { ...given, env });
      return original(command, ...rest);
    };
  }
  syncBuiltinESMExports();
}

const note = process.env.CTO_ENTER;
delete process.env.CTO_ENTER;
if (note) {
  const told = JSON.parse(fs.readFileSync(note, "utf8"));
  fs.unlinkSync(note);
  enter(told);
}
