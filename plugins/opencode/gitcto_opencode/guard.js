// Part of git-cto: each run of opencode gets this plugin in its own configuration directory.
//
// opencode asks a failing model six times, over more than a minute, without a word; and when a
// stream is cut it asks again at once, for ever. Both end here, and the reason is told as a line of
// the event stream. The file with the key goes as soon as opencode has read it. And plugins of the
// repository, which opencode imports whatever it is told, are empty for it.

import { rmSync } from "node:fs"
import { dirname } from "node:path"

const literal = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")
const ours = [dirname(import.meta.dirname), "/$bunfs"].map((place) => `${literal(place)}\\/`)
Bun.plugin({
  name: "cto_guard",
  setup: (build) => {
    const others = new RegExp(`^(?!${ours.join("|")}).*\\.[cm]?[jt]sx?$`)
    build.onLoad({ filter: others }, () => ({ contents: "export default {}", loader: "js" }))
  },
})

const ask = globalThis.fetch
let failed = {}

globalThis.fetch = async (...call) => {
  const answer = await ask(...call)
  if (!answer.ok) failed = { status: answer.status, retryAfter: answer.headers.get("retry-after") }
  return answer
}

export const Guard = async ({ client }) => {
  rmSync(process.env.CTO_KEY_FILE, { force: true })
  const stop = async (sessionID, why) => {
    process.stdout.write(JSON.stringify({ type: "cto_guard", sessionID, ...why }) + "\n")
    await client.session.abort({ path: { id: sessionID } })
  }
  return {
    event: async ({ event: { type, properties } }) => {
      if (type === "session.status" && properties.status.type === "retry") {
        const message = properties.status.message
        await stop(properties.sessionID, { reason: "retry", message, ...failed })
      }
      const part = type === "message.part.updated" ? properties.part : {}
      if (part.type === "step-finish" && part.reason === "unknown") {
        await stop(part.sessionID, { reason: "cut", message: "the model's stream was cut" })
      }
    },
  }
}
