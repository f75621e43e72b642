<?php
/* php -d auto_prepend_file=... add_user.php LOGIN PASSWORD: an account, made by DokuWiki's own functions. */
define('NOSESSION', true);
$_SERVER += ['HTTP_HOST' => 'wiki.test', 'SERVER_PORT' => '443', 'REMOTE_ADDR' => '127.0.0.1'];
require '/usr/share/dokuwiki/inc/init.php';
auth_setup();

[, $login, $password] = $argv;
if (!$auth->createUser($login, $password, ucfirst($login), "$login@example.org", ['user'])) {
	fwrite(STDERR, "DokuWiki did not make the account $login.\n");
	exit(1);
}
