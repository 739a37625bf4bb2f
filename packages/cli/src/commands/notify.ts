import { readSecrets, testChannel } from '@millwright/gateways'
import type { Command } from 'commander'
import { loadProject } from '../project/load-project.ts'

const examples = `
Examples:
  millwright notify test maintenance my-plant

Sends one message that says it is a test, by the very way that a change of a case goes; once, with no second attempt. Needs no running
plant, and changes nothing of one that runs.`

/** Adds `millwright notify test`: whether a channel of notifications reaches its peer. */
export function addCommand(program: Command): void {
  program
    .command('notify')
    .description('Try the channels of notifications that a project declares.')
    .command('test')
    .argument('<channel>', 'name of the channel')
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .description('Send a test message by a channel, and say whether its peer took it.')
    .option('--json', 'print the result as JSON on stdout')
    .addHelpText('after', examples)
    .action(test)
}

async function test(name: string, projectPath: string, flags: { readonly json?: true }): Promise<void> {
  const { plan, directory } = await loadProject(projectPath)
  const channel = plan.notify.find((each) => each.name === name)
  // Of one channel only: the others' secrets may be elsewhere.
  const secrets = readSecrets(channel === undefined ? [] : [channel], directory)
  const { id, target } = await testChannel({ plan, name, secrets })
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ plant: plan.name, channel: name, id, target, delivered: true })}\n`
      : `Taken by ${target}: ${id}\n`,
  )
}
