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
    produce: {
      description: 'Write records from stdin, one a line',
      load: () => import('./produce/produce.ts').then(({ produce }) => produce),
    },
    consume: {
      description: 'Read records of topics: one a line, as JSON in a pipe',
      load: () => import('./consume/consume.ts').then(({ consume }) => consume),
    },
    export: {
      description: 'Write the records of a topic to stdout',
      load: () => import('./export.ts').then(({ exportTopic }) => exportTopic),
    },
    import: {
      description: 'Append records from stdin to a topic',
      load: () => import('./import.ts').then(({ importTopic }) => importTopic),
    },
    bench: {
      description: 'Measure a broker: fixed seed, so that two runs send the same',
      commands: {
        produce: {
          description: 'How fast records are acknowledged',
          load: () => import('./bench/commands.ts').then(({ produce }) => produce),
        },
        consume: {
          description: 'How fast records are read',
          load: () => import('./bench/commands.ts').then(({ consume }) => consume),
        },
        e2e: {
          description: 'How long a record takes from producer to consumer, at a steady rate',
          load: () => import('./bench/commands.ts').then(({ e2e }) => e2e),
        },
      },
    },
    bridge: {
      description: 'Kafka over TCP on this machine, for a broker behind a WebSocket',
      load: () => import('./bridge.ts').then(({ bridge }) => bridge),
    },
    deploy: {
      description: 'Put a cluster on the network of others',
      commands: {
        cloudflare: {
          description: 'Deploy a cluster of Durable Objects to your account, and try it',
          load: () => import('./deploy/cloudflare.ts').then(({ cloudflare }) => cloudflare),
        },
      },
    },
    topics: {
      description: 'Topics: list, create, describe, change, delete',
      commands: {
        ls: {
          description: 'List topics',
          load: () => import('./topics/ls.ts').then(({ list }) => list),
        },
        create: {
          description: 'Create topics',
          load: () => import('./topics/create.ts').then(({ create }) => create),
        },
        describe: {
          description: 'Show partitions, leaders, offsets and settings of topics',
          load: () => import('./topics/describe.ts').then(({ describe }) => describe),
        },
        alter: {
          description: 'Change settings of a topic',
          load: () => import('./topics/alter.ts').then(({ alter }) => alter),
        },
        'add-partitions': {
          description: 'Add partitions to a topic',
          load: () => import('./topics/add-partitions.ts').then(({ addPartitions }) => addPartitions),
        },
        purge: {
          description: 'Delete the oldest records of a topic, or all',
          load: () => import('./topics/purge.ts').then(({ purge }) => purge),
        },
        rm: {
          description: 'Delete topics with all their records',
          load: () => import('./topics/rm.ts').then(({ remove }) => remove),
        },
      },
    },
    partitions: {
      description: 'Who holds what',
      commands: {
        ls: {
          description: 'List partitions, their leaders and replicas',
          load: () => import('./partitions/ls.ts').then(({ list }) => list),
        },
      },
    },
    groups: {
      description: 'Consumer groups: list, describe, lag, reset, delete',
      commands: {
        ls: {
          description: 'List consumer groups',
          load: () => import('./groups/ls.ts').then(({ list }) => list),
        },
        describe: {
          description: 'Show the state of groups, their members, and what each of these has',
          load: () => import('./groups/describe.ts').then(({ describe }) => describe),
        },
        lag: {
          description: 'Show how far groups are behind',
          load: () => import('./groups/lag.ts').then(({ lag }) => lag),
        },
        reset: {
          description: 'Move a group without members to other offsets',
          load: () => import('./groups/reset.ts').then(({ reset }) => reset),
        },
        forget: {
          description: 'Delete where a group was in some topics',
          load: () => import('./groups/forget.ts').then(({ forget }) => forget),
        },
        rm: {
          description: 'Delete groups without members, and where they were',
          load: () => import('./groups/rm.ts').then(({ remove }) => remove),
        },
      },
    },
    configs: {
      description: 'Settings of topics, brokers, groups and client metrics',
      commands: {
        resources: {
          description: 'List what has settings',
          load: () => import('./configs/resources.ts').then(({ resources }) => resources),
        },
        ls: {
          description: 'List settings, who set them, and their defaults',
          load: () => import('./configs/commands.ts').then(({ list }) => list),
        },
        set: {
          description: 'Change settings',
          load: () => import('./configs/commands.ts').then(({ set }) => set),
        },
        unset: {
          description: 'Let settings go back to their defaults',
          load: () => import('./configs/commands.ts').then(({ unset }) => unset),
        },
      },
    },
    features: {
      description: 'Features of the cluster, and their levels',
      commands: {
        ls: {
          description: 'List features and their levels',
          load: () => import('./features/commands.ts').then(({ list }) => list),
        },
        set: {
          description: 'Move features to other levels',
          load: () => import('./features/commands.ts').then(({ set }) => set),
        },
      },
    },
    cluster: {
      description: 'The cluster as a whole',
      commands: {
        info: {
          description: 'Show the brokers, the controller and the features',
          load: () => import('./cluster/info.ts').then(({ info }) => info),
        },
        quorum: {
          description: 'Show who keeps the metadata, and how far they are',
          load: () => import('./cluster/quorum.ts').then(({ quorum }) => quorum),
        },
        'log-dirs': {
          description: 'Show where brokers keep logs, and how much room is left',
          load: () => import('./cluster/log-dirs.ts').then(({ logDirs }) => logDirs),
        },
        health: {
          description: 'Ends with 0 only if all is well',
          load: () => import('./cluster/health.ts').then(({ health }) => health),
        },
      },
    },
    users: {
      description: 'Who may log in with a password',
      commands: {
        ls: {
          description: 'List users',
          load: () => import('./users/commands.ts').then(({ list }) => list),
        },
        set: {
          description: 'Add a user, or change a password',
          load: () => import('./users/commands.ts').then(({ set }) => set),
        },
        rm: {
          description: 'Remove a user',
          load: () => import('./users/commands.ts').then(({ remove }) => remove),
        },
      },
    },
    acl: {
      description: 'Who may do what',
      commands: {
        ls: {
          description: 'List rules',
          load: () => import('./acl/commands.ts').then(({ list }) => list),
        },
        allow: {
          description: 'Let somebody do something',
          load: () => import('./acl/commands.ts').then(({ allow }) => allow),
        },
        deny: {
          description: 'Forbid somebody something, whatever allows it',
          load: () => import('./acl/commands.ts').then(({ deny }) => deny),
        },
        rm: {
          description: 'Remove rules',
          load: () => import('./acl/commands.ts').then(({ remove }) => remove),
        },
      },
    },
    txn: {
      description: 'Transactions, and the producers of partitions',
      commands: {
        ls: {
          description: 'List transactional ids, and how their transactions stand',
          load: () => import('./txn/commands.ts').then(({ list }) => list),
        },
        describe: {
          description: 'Show since when transactions go on, and where they have written',
          load: () => import('./txn/commands.ts').then(({ describe }) => describe),
        },
        producers: {
          description: 'Show the producers that partitions of topics know',
          load: () => import('./txn/commands.ts').then(({ producers }) => producers),
        },
        hanging: {
          description: 'Find open transactions that no coordinator will end',
          load: () => import('./txn/commands.ts').then(({ hanging }) => hanging),
        },
        abort: {
          description: 'End a hanging transaction in one partition',
          load: () => import('./txn/commands.ts').then(({ abort }) => abort),
        },
        fence: {
          description: 'Take transactional ids away from their producers',
          load: () => import('./txn/commands.ts').then(({ fence }) => fence),
        },
      },
    },
    quotas: {
      description: 'How much clients may do',
      commands: {
        ls: {
          description: 'List quotas',
          load: () => import('./quotas/commands.ts').then(({ list }) => list),
        },
        set: {
          description: 'Limit what somebody may do',
          load: () => import('./quotas/commands.ts').then(({ set }) => set),
        },
        rm: {
          description: 'Take quotas away',
          load: () => import('./quotas/commands.ts').then(({ remove }) => remove),
        },
      },
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
    mcp: {
      description: 'Serve a broker to an agent (Model Context Protocol)',
      load: () => import('./mcp/mcp.ts').then(({ mcp }) => mcp),
    },
    completion: {
      description: 'Print what a shell needs to complete commands, topics and groups',
      load: () => import('./completion/commands.ts').then(({ completion }) => completion),
    },
    complete: {
      description: 'What may stand where the last word stands',
      isHidden: true,
      load: () => import('./completion/commands.ts').then(({ complete }) => complete),
    },
  },
};
