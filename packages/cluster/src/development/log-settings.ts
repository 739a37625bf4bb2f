/** Rolled log files, so that no cluster fills a disk: 5 × 20 MB a process at most. */
const fileSize = '20MB'
const fileCount = 4

/**
 * Settings of Log4j 2 for one process.
 *
 * @param loggers Levels that differ from INFO, by the logger's name.
 */
export function logSettings(logFile: string, loggers: Readonly<Record<string, string>> = {}): string {
  const lines = [
    'rootLogger.level = INFO',
    'rootLogger.appenderRef.file.ref = file',
    'appender.file.type = RollingFile',
    'appender.file.name = file',
    `appender.file.fileName = ${logFile}`,
    `appender.file.filePattern = ${logFile}.%i`,
    'appender.file.layout.type = PatternLayout',
    'appender.file.layout.pattern = %d{ISO8601} %-5p %c [%t] %m%n%xEx',
    'appender.file.policies.type = Policies',
    'appender.file.policies.size.type = SizeBasedTriggeringPolicy',
    `appender.file.policies.size.size = ${fileSize}`,
    'appender.file.strategy.type = DefaultRolloverStrategy',
    `appender.file.strategy.max = ${fileCount}`,
  ]
  Object.entries(loggers).forEach(([name, level], index) => {
    lines.push(`logger.l${index}.name = ${name}`, `logger.l${index}.level = ${level}`)
  })
  return `${lines.join('\n')}\n`
}
