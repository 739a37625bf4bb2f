import { join } from 'node:path'
import type { ClusterFolder } from './cluster-folder.ts'
import type { ProcessRole } from './roles.ts'

/** What all JVMs of a cluster are started with. */
export interface JavaProgram {
  readonly role: ProcessRole
  readonly classPath: readonly string[]
  readonly options: readonly string[]
  readonly mainClass: string
  readonly args: readonly string[]
}

/** Path of the log settings of a role. */
export function logSettingsPath(folder: ClusterFolder, role: ProcessRole): string {
  return join(folder.configuration, `${role}-log4j2.properties`)
}

/** Returns the arguments of `java` for a program of a cluster. */
export function javaArguments(folder: ClusterFolder, program: JavaProgram): string[] {
  return [
    // On the command line, so that a person who lists processes sees what is whose.
    `-Dmillwright.process=${program.role}`,
    // What a JVM says when it crashes was once lost: here it is found.
    `-XX:ErrorFile=${join(folder.logs, `${program.role}-crash-%p.log`)}`,
    '-XX:+ExitOnOutOfMemoryError',
    `-Djava.io.tmpdir=${folder.temporary(program.role)}`,
    `-Dlog4j2.configurationFile=${logSettingsPath(folder, program.role)}`,
    '-Djava.net.preferIPv4Stack=true',
    '-Djava.awt.headless=true',
    ...program.options,
    '-classpath',
    program.classPath.join(':'),
    program.mainClass,
    ...program.args,
  ]
}
