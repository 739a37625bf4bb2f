// A guest for the host's own tests: it counts the records of each key. What a record says is done: "fail", "loop", "heap", "timer",
// "throw-beyond", "hoard", "forget"; "project-loop", "project-heap" and "project-table" as a project's function does. A
// control record "say" is answered.
// State: float64 of its timer (NaN for none), float64 count. Output 0 for each record: key, then "count@appendTime".
;(() => {
  const kinds = {
    key: 1,
    state: 2,
    control: 3,
    refused: 4,
    more: 16,
    failure: 17,
    unknown: 18,
    output: 19,
    write: 20,
    timer: 21,
    counters: 22,
  }
  let input,
    inputView,
    result,
    resultView,
    options,
    controlSeen = []
  const held = new Map()
  const dirty = new Set()
  const refused = new Set()
  let acting = [],
    purpose = 0,
    at = 0
  const text = (from, to) => {
    let s = ''
    for (let i = from; i < to; i++) s += String.fromCharCode(input[i])
    return s
  }
  const frame = (kind, ...parts) => {
    const head = at
    at += 8
    for (const part of parts) {
      if (typeof part === 'string') for (let i = 0; i < part.length; i++) result[at++] = part.charCodeAt(i)
      else if (part.f64 !== undefined) {
        resultView.setFloat64(at, part.f64, true)
        at += 8
      } else if (part.u8 !== undefined) result[at++] = part.u8
      else {
        resultView.setUint16(at, part.key.length, true)
        at += 2
        for (let i = 0; i < part.key.length; i++) result[at++] = part.key.charCodeAt(i)
      }
    }
    resultView.setUint32(head, kind, true)
    resultView.setUint32(head + 4, at - head - 8, true)
  }
  const write = (key) => {
    const device = held.get(key)
    frame(kinds.write, { key }, { f64: device.timer }, { f64: device.count })
    dirty.delete(key)
  }
  const frames = (length, take) => {
    for (let i = 0; i < length; ) {
      const kind = inputView.getUint32(i, true),
        n = inputView.getUint32(i + 4, true)
      take(kind, i + 8, i + 8 + n)
      i += 8 + n
    }
  }
  const records = (count, _lineBytes) => {
    const found = []
    let from = 163840
    for (let i = 0; i < count; i++) {
      let to = from
      while (input[to] !== 10) to++
      const line = JSON.parse(text(from, to))
      from = to + 1
      found.push({
        key: line.k,
        does: line.does,
        appendTime: inputView.getFloat64(8 * i, true),
        offset: inputView.getFloat64(65536 + 8 * i, true),
        place: inputView.getUint32(131072 + 4 * i, true),
      })
    }
    return found
  }
  const end = () => {
    while (held.size > options.cacheKeysMax) {
      const key = held.keys().next().value
      if (dirty.has(key)) write(key)
      held.delete(key)
    }
    return at
  }
  function endless() {
    for (;;);
  }
  function hungry() {
    const kept = []
    for (;;) kept.push(new Array(1000).fill(kept.length))
  }
  /** Its table doubles whenever it is full. */
  function table() {
    const kept = {}
    for (let i = 0; ; i++) kept[`x${i}`] = i
  }
  const hoarded = []
  let underWay = null
  // What is left of a bundle, and the frames that wait for its end: a call that is ended has written none.
  let work = []
  let waiting = []
  const goOn = () => {
    while (work.length > 0) {
      const record = work.shift()
      const { key, does, appendTime, offset, place } = record
      if (does === 'fail')
        throw Object.assign(new Error('as it was asked'), { topic: options.inputs[place >>> 16], offset })
      if (does === 'throw-beyond') throw new Error('beyond')
      if (does === 'loop') for (;;);
      if (does === 'heap') hungry()
      if (does === 'project-loop') projectCall(endless, record)
      if (does === 'hoard') for (let i = 0; i < 5000; i++) hoarded.push(new Array(1000).fill(i))
      if (does === 'project-heap') projectCall(hungry, record)
      if (does === 'project-table') projectCall(table, record)
      if (refused.has(key)) {
        waiting.push(() => frame(kinds.output, { u8: 0 }, { f64: appendTime }, { key }, 'refused'))
        continue
      }
      if (does === 'forget') {
        held.delete(key)
        dirty.delete(key)
        waiting.push(() => frame(kinds.write, { key }))
        continue
      }
      const device = held.get(key)
      device.count += 1
      dirty.add(key)
      if (does === 'timer') {
        const before = device.timer
        waiting.push(() => frame(kinds.timer, { f64: appendTime + 1000 }, { f64: before }, { key }))
        device.timer = appendTime + 1000
      }
      const line = `${device.count}@${appendTime}`
      waiting.push(() => frame(kinds.output, { u8: 0 }, { f64: appendTime }, { key }, line))
    }
    for (const write of waiting) write()
    waiting = []
    end()
  }
  const calls = () => new Uint32Array(result.buffer, result.length - 8, 1)
  const projectCall = (compute, record) => {
    underWay = { compute, record }
    calls()[0] += 1
    compute()
  }
  const answer =
    (act) =>
    (...args) => {
      at = 0
      try {
        act(...args)
        return at
      } catch (error) {
        if (error.message === 'beyond') throw error
        at = 0
        frame(
          kinds.failure,
          JSON.stringify({
            name: error.name,
            message: error.message,
            stack: error.stack,
            topic: error.topic ?? null,
            partition: 0,
            offset: error.offset ?? null,
          }),
        )
        return at
      }
    }
  const ask = (keys) => {
    for (const key of new Set(keys)) if (!held.has(key)) frame(kinds.unknown, key)
  }
  globalThis.millwright = {
    version: () => 4,
    open: (i, r, n) => {
      input = new Uint8Array(i)
      inputView = new DataView(i)
      result = new Uint8Array(r)
      resultView = new DataView(r)
      options = JSON.parse(text(0, n))
      return 0
    },
    control: answer((n) =>
      frames(n, (_, from, to) => {
        const k = inputView.getUint16(from + 20, true)
        const name = text(from + 22, from + 22 + k)
        controlSeen.push(name)
        if (text(from + 22 + k, to) === 'say') frame(kinds.output, { u8: 0 }, { f64: NaN }, { key: name }, 'said')
        for (const [key] of held)
          frame(kinds.output, { u8: 0 }, { f64: NaN }, { key }, `control ${text(from + 22 + k, to)}`)
      }),
    ),
    prepare: answer((count, lineBytes) => {
      refused.clear()
      ask(records(count, lineBytes).map(({ key }) => key))
    }),
    keys: answer((n, why) => {
      purpose = why
      acting = []
      frames(n, (_, from, to) => acting.push(text(from, to)))
      ask(acting)
    }),
    states: answer((n) =>
      frames(n, (kind, from, to) => {
        if (kind === kinds.refused) {
          refused.add(text(from, to))
          return
        }
        const k = inputView.getUint16(from, true),
          body = from + 2 + k
        held.set(
          text(from + 2, body),
          to > body
            ? { timer: inputView.getFloat64(body, true), count: inputView.getFloat64(body + 8, true) }
            : { timer: NaN, count: 0 },
        )
      }),
    ),
    process: answer((count, lineBytes) => {
      work = records(count, lineBytes)
      goOn()
    }),
    resume: answer((why) => {
      calls()[0] += 1
      const { key, offset } = underWay.record
      underWay = null
      waiting.push(() => frame(kinds.output, { u8: 0 }, { f64: NaN }, { key }, `without ${offset} ${why}`))
      goOn()
    }),
    atHand: () =>
      JSON.stringify({
        topic: underWay && options.inputs[underWay.record.place >>> 16],
        partition: underWay && 0,
        offset: underWay ? underWay.record.offset : null,
        where: underWay && 'a feature',
        functionText: underWay && String(underWay.compute),
      }),
    act: answer((now) => {
      for (const key of acting) {
        const device = held.get(key)
        dirty.add(key)
        device.timer = NaN
        frame(
          kinds.output,
          { u8: 0 },
          { f64: now },
          { key },
          `${(purpose === 1 ? 'end ' : 'timer ') + device.count}@${now}`,
        )
      }
      end()
    }),
    timeCame: answer(() => undefined),
    writeBack: answer((n) => {
      for (const key of [...dirty].slice(0, n)) write(key)
    }),
    counters: answer(() =>
      frame(
        kinds.counters,
        JSON.stringify({ held: held.size, controlSeen: controlSeen.length, 'kind_total{kind="x"}': 3 }),
      ),
    ),
    more: () => 0,
    explain: (stack) => `explained: ${stack}`,
  }
})()
