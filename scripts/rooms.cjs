/**
 * The table of rooms: which room may import which. The one source for the import-direction check; `npm run check:docs`
 * compares it with the table in ARCHITECTURE.md.
 *
 * `pure`: compiles with no ambient types, reads no clock and no chance. `packages`: what it may take from the registry.
 */
exports.rooms = {
  core: { may: [], pure: true, packages: [] },
  kernels: { may: [], pure: true, packages: [] },
  plant: { may: ['core'], pure: true, packages: ['zod'] },
  operators: { may: ['core', 'kernels'], pure: true, packages: [] },
  scoring: { may: ['core', 'kernels'], pure: true, packages: [] },
  simulator: { may: ['core'], pure: true, packages: [] },
  monitoring: { may: ['core'], pure: true, packages: [] },
  engine: { may: ['core'], pure: false, packages: [] },
  gateways: {
    may: ['core'],
    pure: false,
    packages: ['@platformatic/kafka', 'csv-parse', 'fastify', 'mqtt', 'nodemailer'],
  },
  cluster: {
    may: ['core', 'operators', 'scoring', 'gateways'],
    pure: false,
    packages: ['@platformatic/kafka', 'esbuild', 'fflate'],
  },
  testkit: { may: ['core', 'operators'], pure: false, packages: [] },
  cli: {
    may: ['core', 'plant', 'operators', 'scoring', 'simulator', 'monitoring', 'engine', 'gateways', 'cluster'],
    pure: false,
    packages: ['cli-progress', 'commander', 'csv-parse', 'pino', 'prom-client'],
  },
}
