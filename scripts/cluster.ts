/**
 * The development cluster: `npm run cluster -- up|down|status`. docs/guide/cluster.md says what it is and what it is not.
 */
import { main } from '../packages/cluster/src/development/command.ts'

process.exitCode = await main(process.argv.slice(2))
