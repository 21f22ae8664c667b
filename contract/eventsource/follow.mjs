// Follows a job with the EventSource that browsers have, by the code of the README, and
// prints what it sees, a JSON object on each line.
//
//   node follow.mjs '<a file with the code>' '<the URL of the events>'
//
// It ends when the EventSource is closed, for nothing is left to wait for.
import { readFileSync } from 'node:fs'
import { EventSource } from 'eventsource'

const [code, url] = process.argv.slice(2)
const tell = seen => console.log(JSON.stringify(seen))

class Watched extends EventSource {
  constructor (...args) {
    super(...args)
    this.addEventListener('open', () => tell({ type: 'open' }))
    this.addEventListener('message', e => tell({ type: 'message', id: e.lastEventId, data: JSON.parse(e.data) }))
    this.addEventListener('error', e => tell({ type: 'error', code: e.code, closed: this.readyState === EventSource.CLOSED }))
  }
}

new Function('EventSource', 'job', readFileSync(code, 'utf8'))(Watched, { links: { events: url } })
