import { join } from 'node:path'
import type { ClusterFolder } from './cluster-folder.ts'
import type { ClusterSettings } from './cluster-settings.ts'
import { type ConfigurationFile, propertiesText } from './configuration-file.ts'
import { javaArguments, logSettingsPath } from './java-command.ts'
import { logSettings } from './log-settings.ts'
import { loopback } from './ports.ts'

/** A standalone ZooKeeper: it keeps a few pointers of Flink's, so that a small heap is plenty. */
const heapOptions = ['-Xms32m', '-Xmx128m', '-XX:+UseSerialGC']

function settingsPath(folder: ClusterFolder): string {
  return join(folder.configuration, 'zookeeper.properties')
}

export function zookeeperConfiguration(folder: ClusterFolder, settings: ClusterSettings): ConfigurationFile[] {
  return [
    {
      path: settingsPath(folder),
      text: propertiesText({
        dataDir: folder.data('zookeeper'),
        clientPort: settings.ports.zookeeper,
        clientPortAddress: loopback,
        'admin.enableServer': false,
        // The command that tells whether it is ready.
        '4lw.commands.whitelist': 'srvr',
        tickTime: 2000,
        // A killed JobManager's leadership ends with its session: see flink-process.ts.
        minSessionTimeout: 2000,
        maxSessionTimeout: 40_000,
        'autopurge.snapRetainCount': 3,
        'autopurge.purgeInterval': 1,
      }),
    },
    { path: logSettingsPath(folder, 'zookeeper'), text: logSettings(folder.log('zookeeper')) },
  ]
}

/** @param jars Folder of ZooKeeper's jars. */
export function zookeeperArguments(folder: ClusterFolder, jars: string): string[] {
  return javaArguments(folder, {
    role: 'zookeeper',
    classPath: [`${jars}/*`],
    options: heapOptions,
    mainClass: 'org.apache.zookeeper.server.quorum.QuorumPeerMain',
    args: [settingsPath(folder)],
  })
}
