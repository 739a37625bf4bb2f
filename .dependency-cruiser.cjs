const { rooms } = require('./scripts/rooms.cjs')

/** Tests may reach further: they bring oracles and drive rooms from outside. Direction is a rule for what ships. */
const shipped = (room) => ({ path: `^packages/${room}/src/`, pathNot: '\\.test\\.ts$' })

const directions = Object.entries(rooms).map(([room, { may }]) => ({
  name: `room-${room}`,
  comment: `${room} may import only: ${may.join(', ') || 'nothing'} (scripts/rooms.cjs)`,
  severity: 'error',
  from: shipped(room),
  to: { path: '^packages/[^/]+/src/', pathNot: `^packages/(${[room, ...may].join('|')})/src/` },
}))

const registry = Object.entries(rooms).map(([room, { packages }]) => ({
  name: `packages-of-${room}`,
  comment: `${room} may take from the registry only: ${packages.join(', ') || 'nothing'}`,
  severity: 'error',
  from: shipped(room),
  to: {
    dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
    path: 'node_modules/',
    pathNot: packages.length === 0 ? '^$' : `node_modules/(${packages.join('|')})/`,
  },
}))

const pureRooms = Object.entries(rooms)
  .filter(([, { pure }]) => pure)
  .map(([room]) => room)

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...directions,
    ...registry,
    {
      name: 'pure-rooms-without-node',
      comment: 'What runs in plain V8 inside Flink cannot use a Node module.',
      severity: 'error',
      from: { path: `^packages/(${pureRooms.join('|')})/src/`, pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-cycle',
      comment: 'A cycle hides which file owns what.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-deep-import',
      comment:
        'Rooms meet at their index.ts; files and kafka, which others need without a server, have one of their own.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/src/', pathNot: '\\.test\\.ts$' },
      to: {
        path: '^packages/[^/]+/src/',
        pathNot: ['^packages/$1/src/', '^packages/[^/]+/src/(?:(?:files|kafka)/)?index\\.ts$'],
      },
    },
    {
      name: 'resolvable',
      comment: 'An import that resolves nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(\\.as\\.ts|\\.d\\.ts)$' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node'],
      extensions: ['.ts', '.js', '.cjs', '.mjs', '.json'],
    },
  },
}
