import type { Branch } from './tree.ts';

/** All commands. Each is loaded when it is called: the command line starts fast, and helps and completes without. */
export const ROOT: Branch = {
  description: 'Kafka for the edge and the browser',
  commands: {
    dev: {
      description: 'Run a broker on this machine',
      load: () => import('./dev.ts').then(({ dev }) => dev),
    },
    start: {
      description: 'Run a production node from a configuration file',
      load: () => import('./start.ts').then(({ start }) => start),
    },
    doctor: {
      description: 'Check this machine, a configuration, a data directory or a broker',
      load: () => import('./doctor.ts').then(({ doctor }) => doctor),
    },
    export: {
      description: 'Write the records of a topic to stdout',
      load: () => import('./export.ts').then(({ exportTopic }) => exportTopic),
    },
    import: {
      description: 'Append records from stdin to a topic',
      load: () => import('./import.ts').then(({ importTopic }) => importTopic),
    },
    bridge: {
      description: 'Kafka over TCP on this machine, for a broker behind a WebSocket',
      load: () => import('./bridge.ts').then(({ bridge }) => bridge),
    },
    context: {
      description: 'Name brokers, and choose one of them',
      commands: {
        ls: {
          description: 'List contexts, and which is in use',
          load: () => import('./contexts/commands.ts').then(({ list }) => list),
        },
        show: {
          description: 'Which broker a command speaks to here, and who says so',
          load: () => import('./contexts/commands.ts').then(({ show }) => show),
        },
        add: {
          description: 'Name a broker',
          load: () => import('./contexts/commands.ts').then(({ add }) => add),
        },
        use: {
          description: 'Choose the context of commands that name no broker',
          load: () => import('./contexts/commands.ts').then(({ use }) => use),
        },
        rm: {
          description: 'Forget a context',
          load: () => import('./contexts/commands.ts').then(({ remove }) => remove),
        },
      },
    },
  },
};
