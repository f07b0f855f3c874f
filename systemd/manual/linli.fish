# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_linli_global_optspecs
    string join \n h/help V/version
end

function __fish_linli_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_linli_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_linli_using_subcommand
    set -l cmd (__fish_linli_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c linli -n "__fish_linli_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linli -n "__fish_linli_needs_command" -s V -l version -d 'Print version'
complete -c linli -n "__fish_linli_needs_command" -f -a "setup" -d 'Set a new box up: names, lines, broker, platform, first user, first block (首次安装向导)'
complete -c linli -n "__fish_linli_needs_command" -f -a "run" -d 'Run the gateway (运行网关)'
complete -c linli -n "__fish_linli_needs_command" -f -a "check" -d 'Check the configuration; opens nothing, reports all faults at once (检查配置)'
complete -c linli -n "__fish_linli_needs_command" -f -a "config" -d 'Carry the configuration across versions (配置迁移)'
complete -c linli -n "__fish_linli_needs_command" -f -a "certificate" -d 'Show where the local page is, and the fingerprint of its certificate (本地页面与证书指纹)'
complete -c linli -n "__fish_linli_needs_command" -f -a "scan" -d 'Find what hangs on a line or in a network, as entries of the configuration (扫描设备)'
complete -c linli -n "__fish_linli_needs_command" -f -a "profiles" -d 'List, show and check device profiles (设备型号库)'
complete -c linli -n "__fish_linli_needs_command" -f -a "command" -d 'Make keys for commands, and sign commands with them (命令签名)'
complete -c linli -n "__fish_linli_needs_command" -f -a "decode" -d 'Explain the bytes of a meter or Modbus frame (报文解析)'
complete -c linli -n "__fish_linli_needs_command" -f -a "buffer" -d 'Show, verify and export what is stored (缓存)'
complete -c linli -n "__fish_linli_needs_command" -f -a "alarms" -d 'Show, acknowledge and close alarms; show and rehearse their rules (报警)'
complete -c linli -n "__fish_linli_needs_command" -f -a "stars" -d 'Show the star level as the running gateway sees it (星级自评)'
complete -c linli -n "__fish_linli_needs_command" -f -a "users" -d 'Who may use the local page: users, roles, API tokens (用户与令牌)'
complete -c linli -n "__fish_linli_needs_command" -f -a "hash-password" -d 'Read a password, print its hash, for `linli users add --hash` (口令摘要)'
complete -c linli -n "__fish_linli_needs_command" -f -a "doctor" -d 'Look at everything around the gateway, say what to do, worst first (诊断)'
complete -c linli -n "__fish_linli_needs_command" -f -a "support-bundle" -d 'Put what support needs into one file, without secrets (支持包)'
complete -c linli -n "__fish_linli_needs_command" -f -a "upgrade" -d 'Try the next version, install it when it delivers, else go on with this one (升级)'
complete -c linli -n "__fish_linli_needs_command" -f -a "audit" -d 'Show who did what on the gateway (操作记录)'
complete -c linli -n "__fish_linli_needs_command" -f -a "scorecard" -d 'Fill in an evaluation table of annex A from answers and evidence (红色物业评分表)'
complete -c linli -n "__fish_linli_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c linli -n "__fish_linli_using_subcommand setup" -s c -l config -d 'Configuration file' -r -F
complete -c linli -n "__fish_linli_using_subcommand setup" -l lang -d 'Language of the questions (提问语言)' -r -f -a "zh\t''
en\t''"
complete -c linli -n "__fish_linli_using_subcommand setup" -l bundle -d 'A signed bundle: the file, or the folder with `linli-setup.tar`. Nothing is asked then. Without it sticks under /media, /run/media and /mnt are looked through (签名安装包)' -r -F
complete -c linli -n "__fish_linli_using_subcommand setup" -l trust -d 'Folder with the public keys whose bundles are taken (受信任公钥目录)' -r -F
complete -c linli -n "__fish_linli_using_subcommand setup" -l page-listen -d 'Where that page listens, under TLS beyond this machine (向导网页监听地址)' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -l id -d 'The gateway\'s name at the platform, e.g. jinan-lixia-0107 (网关标识)' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -l name -d 'The estate\'s name (小区名称)' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -l kind -d 'new or old_retrofit (新建 / 改造)' -r -f -a "new\t''
old_retrofit\t''"
complete -c linli -n "__fish_linli_using_subcommand setup" -l owner -d 'Whom the devices belong to (产权单位)' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -l maintainer -d 'Who maintains them (维护单位)' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -l serial -d 'Serial lines, each a bus; `none` for none (串口，可多次)' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -l baud -d 'Baud rates, instead of the usual ones (波特率)' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -l frame -d 'Framings: 8N1, 8E1, 8O1, 8N2, 8E2, 8O2 (校验与停止位)' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -l units -d 'Modbus unit ids: 1-32,40; all when left out (站号)' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -l protocol -d 'Protocols: modbus, dlt645, cjt188 (协议)' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -l broker -d 'The field broker, HOST:PORT, or `none` (现场消息代理)' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -l platform -d 'The platform\'s broker, HOST or HOST:PORT, or `none` (市平台地址)' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -l client-id -d 'MQTT client id; `{gateway}` stands for the gateway\'s name (客户端标识)' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -l platform-user -d 'User at the platform\'s broker (平台用户名)' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -l platform-password-file -d 'File with the password there; it is copied (平台密码文件)' -r -F
complete -c linli -n "__fish_linli_using_subcommand setup" -l tls -d 'Encrypt the session; what certificates imply (加密)' -r -f -a "true\t''
false\t''"
complete -c linli -n "__fish_linli_using_subcommand setup" -l ca -d 'Authorities by which the broker is known, PEM; copied (平台 CA 证书)' -r -F
complete -c linli -n "__fish_linli_using_subcommand setup" -l cert -d 'The gateway\'s certificate, PEM; copied (网关证书)' -r -F
complete -c linli -n "__fish_linli_using_subcommand setup" -l key -d 'Its key, PEM; copied (网关私钥)' -r -F
complete -c linli -n "__fish_linli_using_subcommand setup" -l listen -d 'Where the page listens, e.g. 0.0.0.0:8443 (页面监听地址)' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -l user -d 'The page\'s first maintainer (页面首个用户)' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -l hash -d 'The hash of the password, from `linli hash-password` (口令摘要)' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -l password-file -d 'File with the password on one line (口令文件)' -r -F
complete -c linli -n "__fish_linli_using_subcommand setup" -l wait -d 'How long the first reading and the first acknowledged block are waited for; 0s: not at all' -r
complete -c linli -n "__fish_linli_using_subcommand setup" -s y -l yes -d 'Ask nothing: take the proposals, or what the box has (不提问，采用缺省值)'
complete -c linli -n "__fish_linli_using_subcommand setup" -l page -d 'Ask on a page of its own, for a phone: prints its address and a code that opens it once. Nothing is asked here then (在网页上完成)'
complete -c linli -n "__fish_linli_using_subcommand setup" -l no-scan -d 'Do not scan the lines (不扫描)'
complete -c linli -n "__fish_linli_using_subcommand setup" -l no-start -d 'Do not start the service; wait for a gateway that somebody else starts (不启动服务)'
complete -c linli -n "__fish_linli_using_subcommand setup" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand run" -s c -l config -d 'Configuration file' -r -F
complete -c linli -n "__fish_linli_using_subcommand run" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand check" -s c -l config -d 'Configuration file' -r -F
complete -c linli -n "__fish_linli_using_subcommand check" -l json -d 'Print faults, notes and buses as one JSON object on standard output'
complete -c linli -n "__fish_linli_using_subcommand check" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand config; and not __fish_seen_subcommand_from migrate install help" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand config; and not __fish_seen_subcommand_from migrate install help" -f -a "migrate" -d 'Show what this version calls otherwise, as a diff; --write changes it (迁移旧版配置)'
complete -c linli -n "__fish_linli_using_subcommand config; and not __fish_seen_subcommand_from migrate install help" -f -a "install" -d 'Install what somebody changed on the page; run by `linli-apply.service` (应用页面上的修改)'
complete -c linli -n "__fish_linli_using_subcommand config; and not __fish_seen_subcommand_from migrate install help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c linli -n "__fish_linli_using_subcommand config; and __fish_seen_subcommand_from migrate" -s c -l config -d 'Configuration file' -r -F
complete -c linli -n "__fish_linli_using_subcommand config; and __fish_seen_subcommand_from migrate" -l write -d 'Change the files; each old one is kept as FILE.1, FILE.2, …'
complete -c linli -n "__fish_linli_using_subcommand config; and __fish_seen_subcommand_from migrate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linli -n "__fish_linli_using_subcommand config; and __fish_seen_subcommand_from install" -l proposal -d 'Folder with the change' -r -F
complete -c linli -n "__fish_linli_using_subcommand config; and __fish_seen_subcommand_from install" -s c -l config -d 'Configuration file' -r -F
complete -c linli -n "__fish_linli_using_subcommand config; and __fish_seen_subcommand_from install" -l outcomes -d 'Folder for what became of it' -r -F
complete -c linli -n "__fish_linli_using_subcommand config; and __fish_seen_subcommand_from install" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linli -n "__fish_linli_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "migrate" -d 'Show what this version calls otherwise, as a diff; --write changes it (迁移旧版配置)'
complete -c linli -n "__fish_linli_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "install" -d 'Install what somebody changed on the page; run by `linli-apply.service` (应用页面上的修改)'
complete -c linli -n "__fish_linli_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c linli -n "__fish_linli_using_subcommand certificate" -s c -l config -d 'Configuration file' -r -F
complete -c linli -n "__fish_linli_using_subcommand certificate" -l json -d 'Print it as one JSON object'
complete -c linli -n "__fish_linli_using_subcommand certificate" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand scan" -l serial -d 'A serial port of this machine (串口)' -r
complete -c linli -n "__fish_linli_using_subcommand scan" -l tcp -d 'Modbus TCP: HOST, HOST:PORT, 192.168.1.0/24, 192.168.1.10-20; at most 4096 (网段)' -r
complete -c linli -n "__fish_linli_using_subcommand scan" -l rtu-over-tcp -d 'A serial line behind a server that hands its bytes through (串口服务器)' -r
complete -c linli -n "__fish_linli_using_subcommand scan" -l mqtt -d 'Devices that announce themselves on a broker; the one of `[mqtt]` when left out (消息代理)' -r
complete -c linli -n "__fish_linli_using_subcommand scan" -l listen -d 'How long announcements and messages are listened to (收听时长)' -r
complete -c linli -n "__fish_linli_using_subcommand scan" -l ha-prefix -d 'Prefix of discovery messages in the manner of Home Assistant (发现前缀)' -r
complete -c linli -n "__fish_linli_using_subcommand scan" -l z2m-base -d 'Base topics of Zigbee2MQTT (根主题)' -r
complete -c linli -n "__fish_linli_using_subcommand scan" -l profiles -d 'Save profiles made from announcements here, without overwriting any (设备模型文件夹)' -r -F
complete -c linli -n "__fish_linli_using_subcommand scan" -l baud -d 'Baud rates, instead of the usual ones (波特率)' -r
complete -c linli -n "__fish_linli_using_subcommand scan" -l frame -d 'Framings: 8N1, 8E1, 8O1, 8N2, 8E2, 8O2 (校验与停止位)' -r
complete -c linli -n "__fish_linli_using_subcommand scan" -l units -d 'Modbus unit ids: 1-32,40; all when left out (站号)' -r
complete -c linli -n "__fish_linli_using_subcommand scan" -l protocol -d 'Protocols: modbus, dlt645, cjt188 (协议)' -r
complete -c linli -n "__fish_linli_using_subcommand scan" -l patience -d 'Longest time to an answer: 200ms to 600ms by protocol when left out (等待时间)' -r
complete -c linli -n "__fish_linli_using_subcommand scan" -l write -d 'Append the entries to this file, best one in `conf.d/` beside the configuration' -r -F
complete -c linli -n "__fish_linli_using_subcommand scan" -s c -l config -d 'Configuration file' -r -F
complete -c linli -n "__fish_linli_using_subcommand scan" -l json -d 'Print every event as a JSON object on a line of its own'
complete -c linli -n "__fish_linli_using_subcommand scan" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand profiles; and not __fish_seen_subcommand_from list show check new schema document try help" -l dir -d 'Further folder of profiles; a file there replaces the built-in profile of its name. Without it /etc/linli/profiles, when it is there' -r -F
complete -c linli -n "__fish_linli_using_subcommand profiles; and not __fish_seen_subcommand_from list show check new schema document try help" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand profiles; and not __fish_seen_subcommand_from list show check new schema document try help" -f -a "list" -d 'List the profiles'
complete -c linli -n "__fish_linli_using_subcommand profiles; and not __fish_seen_subcommand_from list show check new schema document try help" -f -a "show" -d 'Show what a profile offers, and what it lacks'
complete -c linli -n "__fish_linli_using_subcommand profiles; and not __fish_seen_subcommand_from list show check new schema document try help" -f -a "check" -d 'Check files: format, rules, their own examples, and the model of their category'
complete -c linli -n "__fish_linli_using_subcommand profiles; and not __fish_seen_subcommand_from list show check new schema document try help" -f -a "new" -d 'Write a profile for a new model from answers or flags (新建型号文件)'
complete -c linli -n "__fish_linli_using_subcommand profiles; and not __fish_seen_subcommand_from list show check new schema document try help" -f -a "schema" -d 'Print what an MQTT model publishes as JSON Schema (报文格式)'
complete -c linli -n "__fish_linli_using_subcommand profiles; and not __fish_seen_subcommand_from list show check new schema document try help" -f -a "document" -d 'Write or check what is generated from the library: its table, the conventions'
complete -c linli -n "__fish_linli_using_subcommand profiles; and not __fish_seen_subcommand_from list show check new schema document try help" -f -a "try" -d 'Read a real device by a profile, and show what comes of each point (现场试读)'
complete -c linli -n "__fish_linli_using_subcommand profiles; and not __fish_seen_subcommand_from list show check new schema document try help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from list" -l category -d 'Only of this category: electricity_meter, ev_charger, other, …' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from list" -l protocol -d 'Only of this protocol' -r -f -a "modbus\t''
mqtt\t''
dlt645\t''
cjt188\t''"
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from list" -l dir -d 'Further folder of profiles; a file there replaces the built-in profile of its name. Without it /etc/linli/profiles, when it is there' -r -F
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from list" -l json -d 'Print one JSON list'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from show" -l dir -d 'Further folder of profiles; a file there replaces the built-in profile of its name. Without it /etc/linli/profiles, when it is there' -r -F
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say the names of its own as well'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from check" -l dir -d 'Further folder of profiles; a file there replaces the built-in profile of its name. Without it /etc/linli/profiles, when it is there' -r -F
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say the names of its own as well'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l id -d 'Identifier and name of the file; made of brand and model when left out (标识)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l category -d 'Category, e.g. electricity_meter (类别)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l protocol -d 'modbus, dlt645, cjt188 or mqtt (协议)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l brand -d 'Brand as on the type plate (品牌)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l model -d 'Model as on the type plate (型号)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l zh -d 'Title in Chinese (中文名称)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l en -d 'Title in English (英文名称)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l source -d 'Datasheet: title and edition, or its address; more than once if wanted (数据手册)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l baud -d 'Baud rate as it leaves the factory; 9600, meters 2400 (波特率)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l frame -d 'Parity and stop bits: 8N1, meters 8E1 (校验与停止位)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l unit -d 'Modbus: factory-set unit id (站号)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l first-address -d 'Modbus: how the datasheet counts registers: auto, 0, 1 or modicon (寄存器编号)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l table -d 'Modbus: table of most points: input, holding, coil, discrete_input; holding (寄存器类型)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l encoding -d 'Modbus: encoding of most points: u16, i16, u32, i32, f32, …; u16 (编码)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l order -d 'Modbus: order of words: abcd (high word first), cdab, badc, dcba; abcd (字序)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l edition -d 'DL/T 645: 2007 or 1997; 2007 (标准版本)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l meter-type -d 'CJ/T 188: type of meter, 10H cold water, 11H hot water, 20H heat, 30H gas; 10H (表类型)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l topic -d 'MQTT: topic of points that name none; {base}/state (主题)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l point -d 'A point, see below; more than once (测点)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l raw -d 'What the device held, for an example; more than once (样例原始值)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l reads -d 'What must be read from it; more than once (样例读数)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -s o -l output -d 'Where to write; `-` is standard output; ./ID.toml when left out' -r -F
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l dir -d 'Further folder of profiles; a file there replaces the built-in profile of its name. Without it /etc/linli/profiles, when it is there' -r -F
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l force -d 'Write over a file that is there'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -l no-input -d 'Ask nothing, even on a terminal (不提问)'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from new" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from schema" -l dir -d 'Further folder of profiles; a file there replaces the built-in profile of its name. Without it /etc/linli/profiles, when it is there' -r -F
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from schema" -l strict -d 'Refuse members that the model does not have'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from document" -l dir -d 'Further folder of profiles; a file there replaces the built-in profile of its name. Without it /etc/linli/profiles, when it is there' -r -F
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from document" -l check -d 'Change nothing; fail when a file is not what the profiles say'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from document" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l tcp -d 'Modbus TCP endpoint (Modbus TCP 地址)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l rtu-over-tcp -d 'A serial line behind a server that hands its bytes through (串口服务器)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l serial -d 'A serial port of this machine (串口)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l broker -d 'MQTT: the broker that the device publishes to (消息代理)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l unit -d 'Modbus: unit id; that of the model when left out (站号)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l address -d 'Address of a meter as printed on it: 12 digits (DL/T 645) or 14 (CJ/T 188) (表地址)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l baud -d 'Baud rate, when it is not the model\'s own (波特率)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l frame -d '8N1, 8E1, 8O1, 8N2, 8E2, 8O2, when it is not the model\'s own (校验与停止位)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l timeout -d 'Longest time to an answer, when it is not the model\'s own (等待时间)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l username -d 'MQTT: user name' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l password-file -d 'MQTT: file with the password' -r -F
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l base -d 'MQTT: the device\'s base topic (主题)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l param -d 'A parameter of the profile, e.g. ct=40; more than once if wanted (参数)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l group -d 'How many members a group has, e.g. cells=60; more than once if wanted (组内数量)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l every -d 'Time between two rounds (间隔)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l wait -d 'With --once and --example: longest wait for the round; a device that publishes may take long (最长等待)' -r
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l dir -d 'Further folder of profiles; a file there replaces the built-in profile of its name. Without it /etc/linli/profiles, when it is there' -r -F
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l once -d 'One round, then end'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l json -d 'One JSON object a line: each point of each round, then the round'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -l example -d 'Instead of the table, print an [[examples]] block of what the device really said, to paste into the profile (生成示例)'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from try" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the profiles'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show what a profile offers, and what it lacks'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from help" -f -a "check" -d 'Check files: format, rules, their own examples, and the model of their category'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from help" -f -a "new" -d 'Write a profile for a new model from answers or flags (新建型号文件)'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from help" -f -a "schema" -d 'Print what an MQTT model publishes as JSON Schema (报文格式)'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from help" -f -a "document" -d 'Write or check what is generated from the library: its table, the conventions'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from help" -f -a "try" -d 'Read a real device by a profile, and show what comes of each point (现场试读)'
complete -c linli -n "__fish_linli_using_subcommand profiles; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c linli -n "__fish_linli_using_subcommand command; and not __fish_seen_subcommand_from key sign help" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand command; and not __fish_seen_subcommand_from key sign help" -f -a "key" -d 'Make a key for commands, or show the public half of one that is there (命令签名密钥)'
complete -c linli -n "__fish_linli_using_subcommand command; and not __fish_seen_subcommand_from key sign help" -f -a "sign" -d 'Sign a command; print what is to be published (签名命令)'
complete -c linli -n "__fish_linli_using_subcommand command; and not __fish_seen_subcommand_from key sign help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c linli -n "__fish_linli_using_subcommand command; and __fish_seen_subcommand_from key" -l json -d 'Print it as one JSON object'
complete -c linli -n "__fish_linli_using_subcommand command; and __fish_seen_subcommand_from key" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linli -n "__fish_linli_using_subcommand command; and __fish_seen_subcommand_from sign" -l key -d 'The key\'s file, from `linli command key`' -r -F
complete -c linli -n "__fish_linli_using_subcommand command; and __fish_seen_subcommand_from sign" -l gateway -d 'For which gateway; that of the configuration when it is left out' -r
complete -c linli -n "__fish_linli_using_subcommand command; and __fish_seen_subcommand_from sign" -s c -l config -d 'Configuration of that gateway: names it, its topics, and the keys that count there' -r -F
complete -c linli -n "__fish_linli_using_subcommand command; and __fish_seen_subcommand_from sign" -l device -d 'The device' -r
complete -c linli -n "__fish_linli_using_subcommand command; and __fish_seen_subcommand_from sign" -l command -d 'The command, as the device\'s model calls it' -r
complete -c linli -n "__fish_linli_using_subcommand command; and __fish_seen_subcommand_from sign" -l value -d 'A number, `true` or `false`, else a text; put a text that looks like a number in quotes (\'"16"\')' -r
complete -c linli -n "__fish_linli_using_subcommand command; and __fish_seen_subcommand_from sign" -l id -d 'What it is called, never twice; one of its own when it is left out' -r
complete -c linli -n "__fish_linli_using_subcommand command; and __fish_seen_subcommand_from sign" -l expires -d 'How long from now it may wait, at most 24 h' -r
complete -c linli -n "__fish_linli_using_subcommand command; and __fish_seen_subcommand_from sign" -l until -d 'How long from now the order holds; then the device returns to its safe value' -r
complete -c linli -n "__fish_linli_using_subcommand command; and __fish_seen_subcommand_from sign" -l by -d 'Who orders, for the audit trail' -r
complete -c linli -n "__fish_linli_using_subcommand command; and __fish_seen_subcommand_from sign" -l json -d 'Print topic and document as one JSON object'
complete -c linli -n "__fish_linli_using_subcommand command; and __fish_seen_subcommand_from sign" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linli -n "__fish_linli_using_subcommand command; and __fish_seen_subcommand_from help" -f -a "key" -d 'Make a key for commands, or show the public half of one that is there (命令签名密钥)'
complete -c linli -n "__fish_linli_using_subcommand command; and __fish_seen_subcommand_from help" -f -a "sign" -d 'Sign a command; print what is to be published (签名命令)'
complete -c linli -n "__fish_linli_using_subcommand command; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c linli -n "__fish_linli_using_subcommand decode" -s p -l protocol -d 'Protocol, when it is not to be guessed: dlt645-2007, dlt645-1997, cjt188, modbus-rtu, modbus-tcp, mbus (协议;不指定时自动识别)' -r
complete -c linli -n "__fish_linli_using_subcommand decode" -l as -d 'Read Modbus registers as this type too: i16, u32, i32, u64, i64, float32_be, float64_be; with `_word_swapped` behind when the low word comes first (按类型解释寄存器)' -r
complete -c linli -n "__fish_linli_using_subcommand decode" -l json -d 'Print one JSON object (输出 JSON)'
complete -c linli -n "__fish_linli_using_subcommand decode" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand buffer; and not __fish_seen_subcommand_from show verify export help" -s c -l config -d 'Configuration file; it says where the buffer lies' -r -F
complete -c linli -n "__fish_linli_using_subcommand buffer; and not __fish_seen_subcommand_from show verify export help" -l path -d 'Folder of the buffer, instead of the configuration\'s' -r -F
complete -c linli -n "__fish_linli_using_subcommand buffer; and not __fish_seen_subcommand_from show verify export help" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand buffer; and not __fish_seen_subcommand_from show verify export help" -f -a "show" -d 'How much is stored, and how many hours of outage still fit. Asks the running gateway; reads the folder itself when none runs'
complete -c linli -n "__fish_linli_using_subcommand buffer; and not __fish_seen_subcommand_from show verify export help" -f -a "verify" -d 'Look at every stored block: checksum and content. The gateway must not be running'
complete -c linli -n "__fish_linli_using_subcommand buffer; and not __fish_seen_subcommand_from show verify export help" -f -a "export" -d 'Write every stored block as a line of JSON. The gateway must not be running'
complete -c linli -n "__fish_linli_using_subcommand buffer; and not __fish_seen_subcommand_from show verify export help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c linli -n "__fish_linli_using_subcommand buffer; and __fish_seen_subcommand_from show" -s c -l config -d 'Configuration file; it says where the buffer lies' -r -F
complete -c linli -n "__fish_linli_using_subcommand buffer; and __fish_seen_subcommand_from show" -l path -d 'Folder of the buffer, instead of the configuration\'s' -r -F
complete -c linli -n "__fish_linli_using_subcommand buffer; and __fish_seen_subcommand_from show" -l json -d 'Print JSON'
complete -c linli -n "__fish_linli_using_subcommand buffer; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand buffer; and __fish_seen_subcommand_from verify" -s c -l config -d 'Configuration file; it says where the buffer lies' -r -F
complete -c linli -n "__fish_linli_using_subcommand buffer; and __fish_seen_subcommand_from verify" -l path -d 'Folder of the buffer, instead of the configuration\'s' -r -F
complete -c linli -n "__fish_linli_using_subcommand buffer; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand buffer; and __fish_seen_subcommand_from export" -s o -l output -d 'File to write; standard output without it' -r -F
complete -c linli -n "__fish_linli_using_subcommand buffer; and __fish_seen_subcommand_from export" -s c -l config -d 'Configuration file; it says where the buffer lies' -r -F
complete -c linli -n "__fish_linli_using_subcommand buffer; and __fish_seen_subcommand_from export" -l path -d 'Folder of the buffer, instead of the configuration\'s' -r -F
complete -c linli -n "__fish_linli_using_subcommand buffer; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand buffer; and __fish_seen_subcommand_from help" -f -a "show" -d 'How much is stored, and how many hours of outage still fit. Asks the running gateway; reads the folder itself when none runs'
complete -c linli -n "__fish_linli_using_subcommand buffer; and __fish_seen_subcommand_from help" -f -a "verify" -d 'Look at every stored block: checksum and content. The gateway must not be running'
complete -c linli -n "__fish_linli_using_subcommand buffer; and __fish_seen_subcommand_from help" -f -a "export" -d 'Write every stored block as a line of JSON. The gateway must not be running'
complete -c linli -n "__fish_linli_using_subcommand buffer; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c linli -n "__fish_linli_using_subcommand alarms; and not __fish_seen_subcommand_from list ack close rules test help" -s c -l config -d 'Configuration file; it says where the page listens, which devices and which rules there are' -r -F
complete -c linli -n "__fish_linli_using_subcommand alarms; and not __fish_seen_subcommand_from list ack close rules test help" -l json -d 'Print JSON'
complete -c linli -n "__fish_linli_using_subcommand alarms; and not __fish_seen_subcommand_from list ack close rules test help" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand alarms; and not __fish_seen_subcommand_from list ack close rules test help" -f -a "list" -d 'What is open, worst first. Asks the running gateway (未关闭的报警)'
complete -c linli -n "__fish_linli_using_subcommand alarms; and not __fish_seen_subcommand_from list ack close rules test help" -f -a "ack" -d 'Say that somebody knows of an alarm (确认报警)'
complete -c linli -n "__fish_linli_using_subcommand alarms; and not __fish_seen_subcommand_from list ack close rules test help" -f -a "close" -d 'Close an alarm, with what was found and done (关闭报警)'
complete -c linli -n "__fish_linli_using_subcommand alarms; and not __fish_seen_subcommand_from list ack close rules test help" -f -a "rules" -d 'The rules that hold for each device, with everything that the configuration changes. Opens nothing (各设备生效的规则)'
complete -c linli -n "__fish_linli_using_subcommand alarms; and not __fish_seen_subcommand_from list ack close rules test help" -f -a "test" -d 'Run the rules over stored readings: what would have been raised, when, for how long. Raises nothing. Reads the history of the charts, and the buffer when no gateway runs on it (试运行规则)'
complete -c linli -n "__fish_linli_using_subcommand alarms; and not __fish_seen_subcommand_from list ack close rules test help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from list" -l level -d 'Only of this level: red, orange, yellow, blue' -r
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from list" -s c -l config -d 'Configuration file; it says where the page listens, which devices and which rules there are' -r -F
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from list" -l closed -d 'Those that are closed, the newest first'
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from list" -l json -d 'Print JSON'
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from ack" -s c -l config -d 'Configuration file; it says where the page listens, which devices and which rules there are' -r -F
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from ack" -l json -d 'Print JSON'
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from ack" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from close" -l reason -d 'What was found and done' -r
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from close" -s c -l config -d 'Configuration file; it says where the page listens, which devices and which rules there are' -r -F
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from close" -l json -d 'Print JSON'
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from close" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from rules" -s c -l config -d 'Configuration file; it says where the page listens, which devices and which rules there are' -r -F
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from rules" -l json -d 'Print JSON'
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from rules" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from test" -l since -d 'How far back, e.g. `7d`' -r
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from test" -l from -d 'Readings as `linli buffer export` writes them, instead of those kept here' -r -F
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from test" -s c -l config -d 'Configuration file; it says where the page listens, which devices and which rules there are' -r -F
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from test" -l json -d 'Print JSON'
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from help" -f -a "list" -d 'What is open, worst first. Asks the running gateway (未关闭的报警)'
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from help" -f -a "ack" -d 'Say that somebody knows of an alarm (确认报警)'
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from help" -f -a "close" -d 'Close an alarm, with what was found and done (关闭报警)'
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from help" -f -a "rules" -d 'The rules that hold for each device, with everything that the configuration changes. Opens nothing (各设备生效的规则)'
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from help" -f -a "test" -d 'Run the rules over stored readings: what would have been raised, when, for how long. Raises nothing. Reads the history of the charts, and the buffer when no gateway runs on it (试运行规则)'
complete -c linli -n "__fish_linli_using_subcommand alarms; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c linli -n "__fish_linli_using_subcommand stars; and not __fish_seen_subcommand_from verify help" -l report -d 'Write the signed report to a file: a page to print (.html) or a document (.json)' -r -F
complete -c linli -n "__fish_linli_using_subcommand stars; and not __fish_seen_subcommand_from verify help" -s c -l config -d 'Configuration file; it says where the page listens and where the store lies' -r -F
complete -c linli -n "__fish_linli_using_subcommand stars; and not __fish_seen_subcommand_from verify help" -l page -d 'Address of the page, instead of the configuration\'s' -r
complete -c linli -n "__fish_linli_using_subcommand stars; and not __fish_seen_subcommand_from verify help" -l json -d 'Print JSON'
complete -c linli -n "__fish_linli_using_subcommand stars; and not __fish_seen_subcommand_from verify help" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand stars; and not __fish_seen_subcommand_from verify help" -f -a "verify" -d 'Look at a report, or at the stored evidence: whether it is as the gateway wrote it. Fails when not'
complete -c linli -n "__fish_linli_using_subcommand stars; and not __fish_seen_subcommand_from verify help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c linli -n "__fish_linli_using_subcommand stars; and __fish_seen_subcommand_from verify" -l key -d 'The public key that must have signed it, 64 hex digits: from the gateway\'s page or its inventory at the platform' -r
complete -c linli -n "__fish_linli_using_subcommand stars; and __fish_seen_subcommand_from verify" -l path -d 'Folder of the store, instead of the configuration\'s; no gateway must be running on it' -r -F
complete -c linli -n "__fish_linli_using_subcommand stars; and __fish_seen_subcommand_from verify" -s c -l config -d 'Configuration file; it says where the page listens and where the store lies' -r -F
complete -c linli -n "__fish_linli_using_subcommand stars; and __fish_seen_subcommand_from verify" -l page -d 'Address of the page, instead of the configuration\'s' -r
complete -c linli -n "__fish_linli_using_subcommand stars; and __fish_seen_subcommand_from verify" -l json -d 'Print JSON'
complete -c linli -n "__fish_linli_using_subcommand stars; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linli -n "__fish_linli_using_subcommand stars; and __fish_seen_subcommand_from help" -f -a "verify" -d 'Look at a report, or at the stored evidence: whether it is as the gateway wrote it. Fails when not'
complete -c linli -n "__fish_linli_using_subcommand stars; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c linli -n "__fish_linli_using_subcommand users; and not __fish_seen_subcommand_from add passwd role remove token revoke list help" -s c -l config -d 'Configuration file; it says where the users file lies' -r -F
complete -c linli -n "__fish_linli_using_subcommand users; and not __fish_seen_subcommand_from add passwd role remove token revoke list help" -l file -d 'The users file, instead of the configuration\'s' -r -F
complete -c linli -n "__fish_linli_using_subcommand users; and not __fish_seen_subcommand_from add passwd role remove token revoke list help" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand users; and not __fish_seen_subcommand_from add passwd role remove token revoke list help" -f -a "add" -d 'Add a user; asks for the password, or reads it as a line of standard input (新增用户)'
complete -c linli -n "__fish_linli_using_subcommand users; and not __fish_seen_subcommand_from add passwd role remove token revoke list help" -f -a "passwd" -d 'Set another password; the user\'s sessions end (修改口令)'
complete -c linli -n "__fish_linli_using_subcommand users; and not __fish_seen_subcommand_from add passwd role remove token revoke list help" -f -a "role" -d 'Set another role; the user\'s sessions end (变更角色)'
complete -c linli -n "__fish_linli_using_subcommand users; and not __fish_seen_subcommand_from add passwd role remove token revoke list help" -f -a "remove" -d 'Remove a user; the user\'s sessions end (删除用户)'
complete -c linli -n "__fish_linli_using_subcommand users; and not __fish_seen_subcommand_from add passwd role remove token revoke list help" -f -a "token" -d 'Make an API token for a script and print it, this once (新建接口令牌)'
complete -c linli -n "__fish_linli_using_subcommand users; and not __fish_seen_subcommand_from add passwd role remove token revoke list help" -f -a "revoke" -d 'Revoke an API token (吊销接口令牌)'
complete -c linli -n "__fish_linli_using_subcommand users; and not __fish_seen_subcommand_from add passwd role remove token revoke list help" -f -a "list" -d 'List users and tokens, with the last use of these when the gateway runs (列出)'
complete -c linli -n "__fish_linli_using_subcommand users; and not __fish_seen_subcommand_from add passwd role remove token revoke list help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from add" -l role -d 'viewer looks; maintainer also records, attests, scans and reads the audit trail' -r
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from add" -l hash -d 'The password\'s hash from `linli hash-password`, instead of the password' -r
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from add" -s c -l config -d 'Configuration file; it says where the users file lies' -r -F
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from add" -l file -d 'The users file, instead of the configuration\'s' -r -F
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from passwd" -l hash -d 'The password\'s hash from `linli hash-password`, instead of the password' -r
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from passwd" -s c -l config -d 'Configuration file; it says where the users file lies' -r -F
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from passwd" -l file -d 'The users file, instead of the configuration\'s' -r -F
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from passwd" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from role" -s c -l config -d 'Configuration file; it says where the users file lies' -r -F
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from role" -l file -d 'The users file, instead of the configuration\'s' -r -F
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from role" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from remove" -s c -l config -d 'Configuration file; it says where the users file lies' -r -F
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from remove" -l file -d 'The users file, instead of the configuration\'s' -r -F
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from token" -l role -d 'viewer or maintainer' -r
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from token" -l expires -d 'How long it is good, e.g. `90d`; without it until it is revoked. While the clock is not trusted, a token that ends is not taken' -r
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from token" -s c -l config -d 'Configuration file; it says where the users file lies' -r -F
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from token" -l file -d 'The users file, instead of the configuration\'s' -r -F
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from token" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from revoke" -s c -l config -d 'Configuration file; it says where the users file lies' -r -F
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from revoke" -l file -d 'The users file, instead of the configuration\'s' -r -F
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from list" -s c -l config -d 'Configuration file; it says where the users file lies' -r -F
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from list" -l file -d 'The users file, instead of the configuration\'s' -r -F
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from list" -l json -d 'Print JSON'
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from help" -f -a "add" -d 'Add a user; asks for the password, or reads it as a line of standard input (新增用户)'
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from help" -f -a "passwd" -d 'Set another password; the user\'s sessions end (修改口令)'
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from help" -f -a "role" -d 'Set another role; the user\'s sessions end (变更角色)'
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Remove a user; the user\'s sessions end (删除用户)'
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from help" -f -a "token" -d 'Make an API token for a script and print it, this once (新建接口令牌)'
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from help" -f -a "revoke" -d 'Revoke an API token (吊销接口令牌)'
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from help" -f -a "list" -d 'List users and tokens, with the last use of these when the gateway runs (列出)'
complete -c linli -n "__fish_linli_using_subcommand users; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c linli -n "__fish_linli_using_subcommand hash-password" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand doctor" -s c -l config -d 'Configuration file' -r -F
complete -c linli -n "__fish_linli_using_subcommand doctor" -l lang -d 'Language of the report (语言)' -r -f -a "zh\t'Chinese'
en\t'English'
both\t'Both'"
complete -c linli -n "__fish_linli_using_subcommand doctor" -l json -d 'Print one JSON object'
complete -c linli -n "__fish_linli_using_subcommand doctor" -l offline -d 'Ask nobody over the network: neither name servers nor brokers (不联网)'
complete -c linli -n "__fish_linli_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linli -n "__fish_linli_using_subcommand support-bundle" -s c -l config -d 'Configuration file' -r -F
complete -c linli -n "__fish_linli_using_subcommand support-bundle" -l list -d 'Only list what would be in it (仅列出内容)'
complete -c linli -n "__fish_linli_using_subcommand support-bundle" -l offline -d 'Ask nobody over the network: neither name servers nor brokers (不联网)'
complete -c linli -n "__fish_linli_using_subcommand support-bundle" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand upgrade" -l within -d 'Longest trial (试运行时限)' -r
complete -c linli -n "__fish_linli_using_subcommand upgrade" -s c -l config -d 'Configuration file' -r -F
complete -c linli -n "__fish_linli_using_subcommand upgrade" -l trust -d 'Folder with the public keys whose signatures count (信任的公钥目录)' -r -F
complete -c linli -n "__fish_linli_using_subcommand upgrade" -l back -d 'Return to the version before the last upgrade (恢复上一版本)'
complete -c linli -n "__fish_linli_using_subcommand upgrade" -l status -d 'Show what is under way, and how the last upgrade ended (查看状态)'
complete -c linli -n "__fish_linli_using_subcommand upgrade" -l recover -d 'Take up what a power cut interrupted; done at each start of the machine (断电后恢复)'
complete -c linli -n "__fish_linli_using_subcommand upgrade" -l drive -d 'Go on with what lies ready, watched by systemd'
complete -c linli -n "__fish_linli_using_subcommand upgrade" -l downgrade -d 'Allow an older version (允许降级)'
complete -c linli -n "__fish_linli_using_subcommand upgrade" -l without-reading -d 'The trial need not show a good reading (不要求读数)'
complete -c linli -n "__fish_linli_using_subcommand upgrade" -l without-platform -d 'The trial need not show that the platform acknowledges (不要求平台确认)'
complete -c linli -n "__fish_linli_using_subcommand upgrade" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand audit" -l limit -d 'Most entries, the newest' -r
complete -c linli -n "__fish_linli_using_subcommand audit" -l before -d 'Only entries with a lower number' -r
complete -c linli -n "__fish_linli_using_subcommand audit" -l who -d 'Only of this user; `console` for this machine' -r
complete -c linli -n "__fish_linli_using_subcommand audit" -s c -l config -d 'Configuration file; it says where the page listens and where the store lies' -r -F
complete -c linli -n "__fish_linli_using_subcommand audit" -l verify -d 'Look at the whole chain instead: whether each entry is as it was written. Fails when not'
complete -c linli -n "__fish_linli_using_subcommand audit" -l json -d 'Print JSON'
complete -c linli -n "__fish_linli_using_subcommand audit" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand scorecard" -l answers -d 'Answers file (TOML)' -r -F
complete -c linli -n "__fish_linli_using_subcommand scorecard" -l variant -d 'Kind of estate for table a1, unless the answers file says it' -r
complete -c linli -n "__fish_linli_using_subcommand scorecard" -l assessment -d 'Saved assessment of the gateway (`linli stars --json`); without one its items count as 0' -r -F
complete -c linli -n "__fish_linli_using_subcommand scorecard" -s c -l config -d 'Configuration file for --live; it says where the page listens' -r -F
complete -c linli -n "__fish_linli_using_subcommand scorecard" -l page -d 'Address of the page for --live, instead of the configuration\'s' -r
complete -c linli -n "__fish_linli_using_subcommand scorecard" -l out -d 'Write a report: *.html is one page, printable on A4; *.json a document' -r -F
complete -c linli -n "__fish_linli_using_subcommand scorecard" -l template -d 'Print an answers file to fill in, with every item'
complete -c linli -n "__fish_linli_using_subcommand scorecard" -l live -d 'Ask the running gateway for its assessment'
complete -c linli -n "__fish_linli_using_subcommand scorecard" -l json -d 'Print the scorecard as JSON'
complete -c linli -n "__fish_linli_using_subcommand scorecard" -s h -l help -d 'Print help'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "setup" -d 'Set a new box up: names, lines, broker, platform, first user, first block (首次安装向导)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "run" -d 'Run the gateway (运行网关)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "check" -d 'Check the configuration; opens nothing, reports all faults at once (检查配置)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "config" -d 'Carry the configuration across versions (配置迁移)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "certificate" -d 'Show where the local page is, and the fingerprint of its certificate (本地页面与证书指纹)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "scan" -d 'Find what hangs on a line or in a network, as entries of the configuration (扫描设备)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "profiles" -d 'List, show and check device profiles (设备型号库)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "command" -d 'Make keys for commands, and sign commands with them (命令签名)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "decode" -d 'Explain the bytes of a meter or Modbus frame (报文解析)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "buffer" -d 'Show, verify and export what is stored (缓存)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "alarms" -d 'Show, acknowledge and close alarms; show and rehearse their rules (报警)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "stars" -d 'Show the star level as the running gateway sees it (星级自评)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "users" -d 'Who may use the local page: users, roles, API tokens (用户与令牌)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "hash-password" -d 'Read a password, print its hash, for `linli users add --hash` (口令摘要)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "doctor" -d 'Look at everything around the gateway, say what to do, worst first (诊断)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "support-bundle" -d 'Put what support needs into one file, without secrets (支持包)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "upgrade" -d 'Try the next version, install it when it delivers, else go on with this one (升级)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "audit" -d 'Show who did what on the gateway (操作记录)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "scorecard" -d 'Fill in an evaluation table of annex A from answers and evidence (红色物业评分表)'
complete -c linli -n "__fish_linli_using_subcommand help; and not __fish_seen_subcommand_from setup run check config certificate scan profiles command decode buffer alarms stars users hash-password doctor support-bundle upgrade audit scorecard help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "migrate" -d 'Show what this version calls otherwise, as a diff; --write changes it (迁移旧版配置)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "install" -d 'Install what somebody changed on the page; run by `linli-apply.service` (应用页面上的修改)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from profiles" -f -a "list" -d 'List the profiles'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from profiles" -f -a "show" -d 'Show what a profile offers, and what it lacks'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from profiles" -f -a "check" -d 'Check files: format, rules, their own examples, and the model of their category'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from profiles" -f -a "new" -d 'Write a profile for a new model from answers or flags (新建型号文件)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from profiles" -f -a "schema" -d 'Print what an MQTT model publishes as JSON Schema (报文格式)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from profiles" -f -a "document" -d 'Write or check what is generated from the library: its table, the conventions'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from profiles" -f -a "try" -d 'Read a real device by a profile, and show what comes of each point (现场试读)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from command" -f -a "key" -d 'Make a key for commands, or show the public half of one that is there (命令签名密钥)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from command" -f -a "sign" -d 'Sign a command; print what is to be published (签名命令)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from buffer" -f -a "show" -d 'How much is stored, and how many hours of outage still fit. Asks the running gateway; reads the folder itself when none runs'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from buffer" -f -a "verify" -d 'Look at every stored block: checksum and content. The gateway must not be running'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from buffer" -f -a "export" -d 'Write every stored block as a line of JSON. The gateway must not be running'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from alarms" -f -a "list" -d 'What is open, worst first. Asks the running gateway (未关闭的报警)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from alarms" -f -a "ack" -d 'Say that somebody knows of an alarm (确认报警)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from alarms" -f -a "close" -d 'Close an alarm, with what was found and done (关闭报警)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from alarms" -f -a "rules" -d 'The rules that hold for each device, with everything that the configuration changes. Opens nothing (各设备生效的规则)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from alarms" -f -a "test" -d 'Run the rules over stored readings: what would have been raised, when, for how long. Raises nothing. Reads the history of the charts, and the buffer when no gateway runs on it (试运行规则)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from stars" -f -a "verify" -d 'Look at a report, or at the stored evidence: whether it is as the gateway wrote it. Fails when not'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from users" -f -a "add" -d 'Add a user; asks for the password, or reads it as a line of standard input (新增用户)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from users" -f -a "passwd" -d 'Set another password; the user\'s sessions end (修改口令)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from users" -f -a "role" -d 'Set another role; the user\'s sessions end (变更角色)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from users" -f -a "remove" -d 'Remove a user; the user\'s sessions end (删除用户)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from users" -f -a "token" -d 'Make an API token for a script and print it, this once (新建接口令牌)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from users" -f -a "revoke" -d 'Revoke an API token (吊销接口令牌)'
complete -c linli -n "__fish_linli_using_subcommand help; and __fish_seen_subcommand_from users" -f -a "list" -d 'List users and tokens, with the last use of these when the gateway runs (列出)'
